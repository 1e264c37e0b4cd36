"""A page that shows how good the answers of a classifier are, and where labels may be wrong.

It is one file of HTML, with its picture inside.
"""

import io
from collections.abc import Sequence
from html import escape

import matplotlib.style
import numpy as np

from rnn_jax.reporting.assessment import Assessment, percent
from rnn_jax.reporting.reliability_plot import draw_reliability

METADATA = ("Creator", "Date", "Format", "Type")  # of SVG, which needs none
MOST_LABELS = 40  # of the confusion matrix

PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 60em; margin: 2em auto; padding: 0 1em;
        color: #222; }}
h1 {{ font-size: 1.4em; }} h2 {{ font-size: 1.1em; margin-top: 2em; }}
.wide {{ overflow-x: auto; }}
table {{ border-collapse: collapse; }}
th, td {{ padding: 0.25em 0.6em; text-align: right; border-bottom: 1px solid #ddd; vertical-align: top; }}
th {{ font-weight: 600; white-space: nowrap; }} th:first-child, .text {{ text-align: left; }}
td.text {{ font-family: Georgia, serif; max-width: 36em; }}
svg {{ max-width: 100%; height: auto; }}
</style>
<h1>{title}</h1>
<p>{summary}</p>
{sections}
</html>
"""


def assessment_page(
    title: str, summary: str, assessment: Assessment, mistakes: Sequence[tuple[str, str]]
) -> str:
    """The page.

    Args:
        title: which run, and which examples.
        summary: the figures, in a line.
        assessment: of the answers.
        mistakes: where each of the first `assessment.mistakes()` is to be found, and its text.
    """
    sections = [
        ("By label", _by_label(assessment)),
        ("Confusion matrix", _confusion(assessment)),
        ("Calibration", _calibration(assessment)),
        ("The most confident mistakes", _mistakes(assessment, mistakes)),
    ]
    shown = "\n".join(f"<h2>{name}</h2>\n{content}" for name, content in sections)
    return PAGE.format(title=escape(title), summary=escape(summary), sections=shown)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table of HTML; cells bring their own `td`."""
    text = ' class="text"'
    names = "".join(f"<th{text if name.startswith('text') else ''}>{escape(name)}</th>" for name in head)
    body = "\n".join(f"<tr>{''.join(row)}</tr>" for row in rows)
    return f'<div class="wide"><table>\n<tr>{names}</tr>\n{body}\n</table></div>'


def _cell(text: str, style: str = "") -> str:
    return f"<td{f' style={chr(34)}{style}{chr(34)}' if style else ''}>{escape(text)}</td>"


def _by_label(assessment: Assessment) -> str:
    sizes = assessment.confusion.sum(axis=1)
    figures = assessment.precision, assessment.recall, assessment.f1
    rows = [
        [f"<th>{escape(name)}</th>", *(_cell(percent(own[k])) for own in figures), _cell(f"{sizes[k]:,}")]
        for k, name in enumerate(assessment.labels)
    ]
    return (
        "<p>Precision: of the answers with a label, how many are right. Recall: of the examples of a label, "
        "how many are found. F1: their harmonic mean.</p>\n"
        + _table(["label", "precision", "recall", "F1", "examples"], rows)
    )


def _confusion(assessment: Assessment) -> str:
    """Rows are labels, columns answers; the darker, the larger the share of the row."""
    whole = assessment.confusion
    there = np.flatnonzero(whole.sum(axis=0) + whole.sum(axis=1))  # as label, or as answer
    if len(there) > MOST_LABELS:
        return f"<p>Not shown: there are {len(there)} labels.</p>"
    names = [assessment.labels[k] for k in there]
    rows = []
    for k, (name, counts) in enumerate(zip(names, whole[np.ix_(there, there)], strict=True)):
        shares = counts / max(counts.sum(), 1)
        colour = ["0, 114, 178" if column == k else "213, 94, 0" for column in range(len(counts))]
        rows.append(
            [f"<th>{escape(name)}</th>"]
            + [
                _cell(f"{count:,}", f"background: rgba({own}, {0.75 * share:.2f})")
                for count, share, own in zip(counts, shares, colour, strict=True)
            ]
        )
    return "<p>A row a label, a column an answer.</p>\n" + _table(["", *names], rows)


def _calibration(assessment: Assessment) -> str:
    picture = io.StringIO()
    with matplotlib.style.context("default"):
        draw_reliability(assessment).savefig(picture, format="svg", metadata=dict.fromkeys(METADATA))
    svg = picture.getvalue()
    return (
        f"<p>Expected calibration error {assessment.calibration_error:.1%}. On the dashed line, answers are "
        "right as often as they say; below it, they are too sure.</p>\n" + svg[svg.index("<svg") :]
    )


def _mistakes(assessment: Assessment, mistakes: Sequence[tuple[str, str]]) -> str:
    """Examples with another label than the answer, the surest first: some of these labels may be wrong."""
    examples = assessment.mistakes()
    rows = []
    for example, (where, text) in zip(examples, mistakes, strict=False):
        answer, label = (assessment.labels[own[example]] for own in (assessment.answers, assessment.truth))
        rows.append(
            [
                f"<th>{escape(where)}</th>",
                *map(_cell, (label, answer, percent(assessment.confidence[example]))),
                f'<td class="text">{escape(text)}</td>',
            ]
        )
    if not rows:
        return "<p>There are none.</p>"
    return (
        f"<p>{len(rows):,} of {len(examples):,}: where it is surest, the label may be the mistake.</p>\n"
        + _table(["", "label", "answer", "probability", "text"], rows)
    )
