"""An explanation to look at: words coloured by what they contribute, in the terminal and as a page."""

from collections.abc import Sequence
from html import escape

import numpy as np
from rich.console import Group, RenderableType
from rich.markup import escape as escape_markup
from rich.table import Table
from rich.text import Text

from rnn_jax.tasks.predictor import Look

POSITIVE, NEGATIVE = (0, 114, 178), (213, 94, 0)  # blue and orange, which all eyes can tell apart
MOST = 12  # words in the list


def shares(values: Sequence[float]) -> list[float]:
    """From -1 to 1: contributions as shares of the largest."""
    largest = max((abs(value) for value in values), default=0)
    return [value / largest if largest else 0.0 for value in values]


def strongest(look: Look) -> list[int]:
    """The places of the words that moved the answer most by integrated gradients, the strongest first."""
    return [int(place) for place in np.argsort(-np.abs(look.explanation.gradients[1:]), kind="stable")[:MOST]]


def in_terminal(look: Look) -> RenderableType:
    """The text in colours, by integrated gradients, and the strongest words by both methods."""
    colours = shares(look.explanation.gradients[1:].tolist())
    text = Text()
    for word, share, known in zip(look.words, colours, look.known, strict=True):
        text.append(word, style=_style(share) if known else "dim strike")
        text.append(look.between)
    table = Table(
        "word",
        "integrated gradients",
        "occlusion",
        title=f"What moved the log-odds of {escape_markup(look.label)} most",
    )
    for place in strongest(look):
        values = (look.explanation.gradients[place + 1], look.explanation.occlusion[place + 1])
        table.add_row(look.words[place], *(f"{value:+.3f}" for value in values))
    return Group(text, table, look.check())


def _style(share: float) -> str:
    if abs(share) < 0.05:
        return ""
    red, green, blue = (round(abs(share) * c + (1 - abs(share)) * 255) for c in _colour(share))
    return f"{'white' if abs(share) > 0.6 else 'black'} on rgb({red},{green},{blue})"


def _colour(share: float) -> tuple[int, int, int]:
    return POSITIVE if share > 0 else NEGATIVE


PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Which words moved the decision</title>
<style>
body {{ font: 17px/1.9 Georgia, serif; max-width: 46em; margin: 2em auto; padding: 0 1em; color: #222; }}
h1, h2, .key {{ font-family: system-ui, sans-serif; }}
h1 {{ font-size: 1.3em; }} h2 {{ font-size: 1em; margin-top: 1.6em; }} .key {{ font-size: 0.85em; }}
span {{ padding: 0.1em 0.15em; border-radius: 0.2em; }}
.unknown {{ color: #888; text-decoration: line-through; }}
</style>
<h1>Which words moved the decision</h1>
<p class="key"><span style="background: {positive}">{label}</span>
<span style="background: {negative}">{other}</span>
<span class="unknown">not in the vocabulary</span>
— the stronger, the more; point at a word for its share of the log-odds.</p>
{reviews}
</html>
"""


def page(looks: Sequence[Look]) -> str:
    """A page of HTML with every text, coloured by both methods."""
    parts = []
    for look in looks:
        answer, shown = look.answer
        parts.append(
            f"<h2>{escape(answer)}, {shown:.1%} "
            f"(log-odds {look.explanation.log_odds:+.2f}; of unknown words alone "
            f"{look.explanation.log_odds_of_nothing:+.2f})</h2>"
            f'<p class="key">{look.check()}</p>'
        )
        for title, values in (
            ("Integrated gradients", look.explanation.gradients),
            ("Occlusion, one word at a time", look.explanation.occlusion),
        ):
            parts.append(f"<h2>{title}</h2>\n<p>{_coloured(look, values[1:].tolist())}</p>")
    of_one = len({(look.label, look.other) for look in looks}) == 1  # else the headings say which
    label = looks[0].label if of_one else "for the label"
    other = looks[0].other if of_one and looks[0].other else "against it"
    return PAGE.format(
        positive=_css(1),
        negative=_css(-1),
        label=escape(label),
        other=escape(other),
        reviews="\n".join(parts),
    )


def _coloured(look: Look, values: Sequence[float]) -> str:
    words = []
    for word, value, share, known in zip(look.words, values, shares(values), look.known, strict=True):
        kind = f'style="background: {_css(share)}"' if known else 'class="unknown"'
        words.append(f'<span {kind} title="{value:+.3f}">{escape(word)}</span>')
    return ("\n" if look.between else "<wbr>").join(words)


def _css(share: float) -> str:
    red, green, blue = _colour(share)
    return f"rgba({red}, {green}, {blue}, {0.75 * abs(share):.2f})"
