import io

import numpy as np
import pytest
from rich.console import Console

from rnn_jax.models.explanation import Explanation
from rnn_jax.reporting.explanation import in_terminal, page, strongest
from rnn_jax.tasks.predictor import Look

# The start, and: a bad word, a good one, one that hardly matters, and one that is not known.
GRADIENTS = np.array([0.0, -2.0, 1.0, 0.01, 0.0], np.float32)
OCCLUSION = np.array([0.0, -1.5, 0.5, -0.02, 0.0], np.float32)
LOOK = Look(
    ["awful", "fun", "the", "<b>"], Explanation(-1.2, -0.21, OCCLUSION, GRADIENTS), [True, True, True, False]
)


def test_the_strongest_words_come_first():
    assert [LOOK.words[place] for place in strongest(LOOK)][:3] == ["awful", "fun", "the"]


def test_words_are_coloured_by_what_they_contribute():
    text, *_ = in_terminal(LOOK).renderables
    styles = {text.plain[span.start : span.end]: str(span.style) for span in text.spans}
    assert styles["awful"] == "white on rgb(213,94,0)"  # orange: negative, and the strongest
    assert styles["fun"] == "black on rgb(128,184,216)"  # half as blue: positive
    assert "the" not in styles
    assert styles["<b>"] == "dim strike"


def test_the_terminal_has_both_methods_and_how_far_they_can_be_trusted():
    console = Console(width=120, record=True, file=io.StringIO())
    console.print(in_terminal(LOOK))
    printed = console.export_text()
    row = next(line for line in printed.splitlines() if "awful" in line and "2.000" in line)
    assert row.index("-2.000") < row.index("-1.500")
    assert "add up to -0.990, and should to -0.990" in " ".join(printed.split())


def test_the_page_has_both_methods_and_escapes_words():
    text = page([LOOK])
    gradients, occlusion = text.split("<h2>Integrated gradients</h2>")[1].split("<h2>Occlusion")
    assert '<span style="background: rgba(213, 94, 0, 0.75)" title="-2.000">awful</span>' in gradients
    assert '<span style="background: rgba(0, 114, 178, 0.38)" title="+1.000">fun</span>' in gradients
    assert 'title="-1.500">awful' in occlusion
    assert '<span class="unknown" title="+0.000">&lt;b&gt;</span>' in gradients
    assert "negative, 76.9%" in text


def test_bytes_have_nothing_between_them():
    look = LOOK._replace(words=["a", "␣", "b", "<c3>"], between="")
    text, *_ = in_terminal(look).renderables
    assert text.plain == "a␣b<c3>"
    assert ">a</span><wbr><span" in page([look])


@pytest.mark.parametrize("count", [1, 13])
def test_a_list_of_at_most_a_dozen(count):
    values = np.linspace(0, 1, count + 1).astype(np.float32)
    look = Look(["word"] * count, Explanation(1.0, 0.0, values, values), [True] * count)
    assert len(strongest(look)) == min(count, 12)
