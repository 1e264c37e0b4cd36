"""The equations in a cell's docstring: read, as LaTeX, and as what depends on what.

A block of them is indented by four spaces; a line is one, or several with commas and blanks between, and a
remark after two blanks or more:

    c_t = f_t ⊙ c_{t-1} + i_t ⊙ g_t
    h_t = o_t ⊙ tanh(c_t),    y_t = h_t         a remark
"""

import re
from typing import NamedTuple

LETTERS = {
    **{"α": r"\\alpha", "β": r"\\beta", "γ": r"\\gamma", "δ": r"\\delta", "θ": r"\\theta", "λ": r"\\lambda"},
    **{
        "ν": r"\\nu",
        "σ": r"\\sigma",
        "φ": r"\\varphi",
        "⊙": r"\\odot",
        "²": "^2",
        "10⁻⁵": "10^{-5}",
        "√3": r"\\sqrt{3}",
    },
}
NAMES = ("tanh", "max", "exp", "log")  # that LaTeX knows
WORDS = ("LN", "mean", "var", "Re")
SYMBOL = re.compile(r"[A-Za-z]_\{?t(?:-1)?\}?")  # of something that changes from step to step


class Equation(NamedTuple):
    """`left = right`, and a remark."""

    left: str
    right: str
    remark: str = ""


def parts_of(docstring: str) -> list[str | list[Equation]]:
    """A docstring in paragraphs, and blocks of equations."""
    parts: list[str | list[Equation]] = []
    for paragraph in re.split(r"\n\s*\n", docstring.strip()):
        lines = paragraph.splitlines()
        if all(line.startswith("    ") for line in lines) and " = " in paragraph:
            parts.append([equation for line in lines for equation in _of_line(line.strip())])
        else:
            parts.append(" ".join(line.strip() for line in lines))
    return parts


def _of_line(line: str) -> list[Equation]:
    found: list[Equation] = []
    for piece in re.split(r"\s{2,}", line):
        if " = " in piece:
            left, right = piece.rstrip(",").split(" = ", 1)
            found.append(Equation(left, right))
        else:
            found[-1] = found[-1]._replace(remark=piece)
    return found


def latex(text: str) -> str:
    """An expression as LaTeX."""
    text = re.sub(r"\b[a-z]{2,}(?: [a-z]{2,})+\b", r"\\text{ \g<0>}", _roots(text))
    for letter, command in LETTERS.items():
        text = re.sub(re.escape(letter), command + (" " if command.startswith("\\\\") else ""), text)
    text = re.sub(rf"\b({'|'.join(NAMES)})\b", r"\\\1 ", text)
    return re.sub(rf"\b({'|'.join(WORDS)})\b", r"\\operatorname{\1} ", text)


def _roots(text: str) -> str:
    """`√(…)` as a root over what is in the brackets."""
    while (start := text.find("√(")) >= 0:
        depth = 0
        for end in range(start + 1, len(text)):
            depth += (text[end] == "(") - (text[end] == ")")
            if depth == 0:
                break
        text = f"{text[:start]}\\sqrt{{{text[start + 2 : end]}}}{text[end + 1 :]}"
    return text


def aligned(equations: list[Equation]) -> str:
    """A block of equations as one formula, aligned at their signs."""
    lines = []
    for left, right, _ in equations:
        shown = latex(right) if re.search(r"[^a-z, ]", right) else rf"\text{{{right}}}"
        lines.append(f"{latex(left)} &= {shown}")
    return "\\begin{aligned}\n" + " \\\\\n".join(lines) + "\n\\end{aligned}"


def remarks(equations: list[Equation]) -> list[tuple[str, str]]:
    """What is said of equations: the left side as LaTeX, and the words."""
    return [(latex(each.left), each.remark) for each in equations if each.remark]
