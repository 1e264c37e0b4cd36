"""Figures of answers, against scikit-learn's, and the page that shows them."""

import html
import io
import re

import numpy as np
import pytest
from rich.console import Console

from rnn_jax.reporting.assessment import assess, by_label, confusion_table
from rnn_jax.reporting.assessment_page import assessment_page

LABELS = ("fish", "<fruit>", "[b]meat[/]", "[/none]")


@pytest.fixture
def drawn(rng):
    """Answers to 200 examples, of which none has the last label; and a mistake that is surest."""
    logits, truth = 2 * rng.normal(size=(200, 4)), rng.integers(0, 3, 200)
    logits[np.arange(200), truth] += 1
    logits[7], truth[7] = (0, 20, 0, 0), 2
    odds = np.exp(logits)
    return odds / odds.sum(axis=1, keepdims=True), truth


def test_figures_by_label_are_scikit_learn_s(drawn):
    metrics = pytest.importorskip("sklearn.metrics", reason="pip install scikit-learn")
    probabilities, truth = drawn
    found = assess(LABELS, probabilities, truth)
    answers = probabilities.argmax(axis=1)
    np.testing.assert_array_equal(found.confusion, metrics.confusion_matrix(truth, answers, labels=range(4)))
    precision, recall, f1, _ = metrics.precision_recall_fscore_support(
        truth, answers, labels=range(4), zero_division=np.nan
    )
    np.testing.assert_allclose(found.precision, precision)
    np.testing.assert_allclose(found.recall, recall)
    np.testing.assert_allclose(found.f1, f1)


def test_calibration_is_the_gap_between_sure_and_right():
    """Ten answers of 0.95, six right; ten of 0.55, all right."""
    p = np.repeat([0.95, 0.55], 10)
    truth = np.array([1] * 6 + [0] * 4 + [1] * 10)
    found = assess(("no", "yes"), np.stack([1 - p, p], axis=1), truth)
    assert [(each.size, round(each.accuracy, 6)) for each in found.bins] == [(10, 1.0), (10, 0.6)]
    assert found.calibration_error == pytest.approx((0.45 + 0.35) / 2)


def test_an_answer_of_certainty_has_a_bin():
    found = assess(("no", "yes"), np.array([[0.0, 1.0]]), np.array([1]))
    assert [each.size for each in found.bins] == [1]
    assert found.calibration_error == 0


def test_the_surest_mistake_comes_first(drawn):
    found = assess(LABELS, *drawn)
    mistakes = found.mistakes()
    assert mistakes[0] == 7
    assert (found.answers[mistakes] != found.truth[mistakes]).all()
    assert len(mistakes) == (found.answers != found.truth).sum()
    assert (np.diff(found.confidence[mistakes]) <= 0).all()


def test_the_page_holds_everything_and_nothing_of_a_text_acts_in_it(drawn):
    found = assess(LABELS, *drawn)
    mistakes = [(f"row {row}", "<script>alert()") for row in found.mistakes()[:50]]
    page = assessment_page("runs/x", "accuracy 50%", found, mistakes)
    assert "<script" not in page
    assert html.escape("<fruit>") in page
    assert re.findall(r"<th>row (\d+)</th>", page) == [str(row) for row in found.mistakes()[:50]]
    assert "<svg" in page
    assert "http" not in page.replace("http://www.w3.org", "")  # nothing is loaded from elsewhere
    assert f"50 of {len(found.mistakes())}" in page
    assert "none" in page


def test_tables_for_the_terminal(drawn):
    console = Console(width=100, record=True, file=io.StringIO())
    found = assess(LABELS, *drawn)
    console.print(by_label(found))
    console.print(confusion_table(found))
    shown = console.export_text()
    assert "[b]meat[/]" in shown
    assert "[/none]" in shown
    assert "–" in shown  # of none
    many = assess(tuple(map(str, range(30))), np.eye(30), np.arange(30))
    assert confusion_table(many) is None
    console.print(by_label(many))
    assert "… 10 rarer ones" in console.export_text()
