"""A page a family of cells, made from the docstring of its file: equations, diagram, paper, parameters."""

import importlib
import inspect
import re
from pathlib import Path

import jax
from diagram import draw
from equations import Equation, aligned, parts_of, remarks
from sphinx.application import Sphinx

from rnn_jax.cells import CELLS

FOLDER = "cells"
SIZES = (8, 16)  # D and H of the table of parameters
TITLES = {
    "elman": "Elman",
    "lstm": "LSTM",
    "peephole_lstm": "Peephole LSTM",
    "coupled_lstm": "Coupled LSTM",
    "layer_norm_lstm": "Layer-normalised LSTM",
    "gru": "GRU",
    "mgu": "MGU",
    "indrnn": "IndRNN",
    "qrnn": "QRNN",
    "sru": "SRU",
    "mingru": "minGRU",
    "minlstm": "minLSTM",
    "lru": "LRU",
    "projected_lstm": "Projected LSTM",
    "rg_lru": "RG-LRU",
    "s6": "S6",
    "slstm": "sLSTM",
}


def families() -> dict[str, list[str]]:
    """The names of the cells, by the module that they are in."""
    found: dict[str, list[str]] = {}
    for name, cell in CELLS.items():
        module = inspect.getmodule(cell.init.func if hasattr(cell.init, "func") else cell.init)
        found.setdefault(module.__name__.rsplit(".", 1)[1], []).append(name)
    return found


def page(module: str, cells: list[str], folder: Path) -> str:
    """The page of a family, as Markdown; its diagrams are drawn into the folder."""
    docstring = inspect.getdoc(importlib.import_module(f"rnn_jax.cells.{module}")) or ""
    first, *parts = parts_of(docstring)
    assert isinstance(first, str)
    lines = [f"# {TITLES[module]}", "", first, "", f"`--cell {'`, `--cell '.join(cells)}`", ""]
    whole: list[Equation] = []
    for part in parts:
        if isinstance(part, str):
            lines += [re.sub(r"(?<![`\w])([a-z]_t)\b", r"$\1$", part), ""]
            continue
        if not whole and not any("see below" in each.right for each in part):
            whole = part
            lines += diagram(whole, f"{module}.svg", folder)
        elif not whole:
            whole = part
        elif any("see below" in each.right for each in whole):
            own = {each.left: each for each in part}
            lines += diagram([own.get(e.left, e) for e in whole], f"{module}_{len(lines)}.svg", folder)
        lines += ["```{math}", aligned(part), "```", ""]
        if said := remarks(part):
            lines += [*(f"- ${left}$: {words}" for left, words in said), ""]
    lines += parameters(cells)
    lines += [
        "## Python",
        "",
        "```{eval-rst}",
        f".. automodule:: rnn_jax.cells.{module}",
        "   :members:",
        "```",
        "",
    ]
    return "\n".join(lines)


def diagram(equations: list[Equation], name: str, folder: Path) -> list[str]:
    """Draws a step; the lines that show it."""
    draw(equations, folder / name)
    return [f"![A step: what is computed from what]({name})", ""]


def parameters(cells: list[str]) -> list[str]:
    """A table of the parameters of cells."""
    size, hidden = SIZES
    lines = ["## Parameters", "", f"For D = {size} inputs and H = {hidden} units:", ""]
    lines += ["| cell | array | shape | numbers |", "| --- | --- | --- | ---: |"]
    for name in cells:
        params = jax.eval_shape(lambda cell=CELLS[name]: cell.init(jax.random.key(0), size, hidden))
        own = params._asdict()
        lines += [f"| `{name}` | `{key}` | {list(a.shape)} | {a.size:,} |" for key, a in own.items()]
        lines.append(f"| `{name}` | all | | {sum(a.size for a in own.values()):,} |")
    return [*lines, ""]


def write_pages(app: Sphinx) -> None:
    """Writes all pages, and the list of them."""
    folder = Path(app.srcdir) / FOLDER
    folder.mkdir(exist_ok=True)
    found = families()
    for module, cells in found.items():
        (folder / f"{module}.md").write_text(page(module, cells, folder), encoding="utf-8")
    toc = ["```{toctree}", ":maxdepth: 1", "", *found, "```", ""]
    text = (Path(app.srcdir) / "cells.txt").read_text(encoding="utf-8")
    (folder / "index.md").write_text(text + "\n" + "\n".join(toc), encoding="utf-8")


def setup(app: Sphinx) -> dict[str, bool]:
    """Writes the pages before they are read."""
    app.connect("builder-inited", write_pages)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
