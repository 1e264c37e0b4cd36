"""How good the answers of a classifier are: by label, and by how sure it says it is.

A classifier is calibrated where of all answers with probability p a share p is right. The expected
calibration error (C. Guo et al., "On Calibration of Modern Neural Networks", ICML 2017, equation 3) is the
mean gap between both, over bins of equal width, weighed by the answers in each.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from rich.markup import escape
from rich.table import Column, Table

BINS = 15  # as in Guo et al.
SHOWN = 20  # labels of which tables are printed


class Bin(NamedTuple):
    """Answers of about one probability."""

    size: int
    confidence: float  # the mean probability of the answers
    accuracy: float  # the share of them that is right


class Assessment(NamedTuple):
    """The answers to N examples with K labels.

    Attributes:
        labels: their names.
        confusion: `[K, K]`, how many examples of a label (row) were given each label (column).
        bins: by probability, lowest first; those without an answer are left out.
        answers: `[N]`, the most probable label of each example.
        truth: `[N]`, the label that it has.
        confidence: `[N]`, the probability of the answer.
    """

    labels: tuple[str, ...]
    confusion: NDArray[np.int64]
    bins: list[Bin]
    answers: NDArray[np.integer]
    truth: NDArray[np.integer]
    confidence: NDArray[np.float64]

    @property
    def precision(self) -> NDArray[np.float64]:
        """Of the answers with a label, the share that is right: `[K]`; NaN where there is none."""
        return _ratio(self.confusion.diagonal(), self.confusion.sum(axis=0))

    @property
    def recall(self) -> NDArray[np.float64]:
        """Of the examples of a label, the share that was found: `[K]`; NaN where there is none."""
        return _ratio(self.confusion.diagonal(), self.confusion.sum(axis=1))

    @property
    def f1(self) -> NDArray[np.float64]:
        """The harmonic mean of both: `[K]`."""
        return _ratio(2 * self.confusion.diagonal(), self.confusion.sum(axis=0) + self.confusion.sum(axis=1))

    @property
    def calibration_error(self) -> float:
        """The expected calibration error, from 0 to 1."""
        gaps = [each.size * abs(each.accuracy - each.confidence) for each in self.bins]
        return sum(gaps) / max(len(self.answers), 1)

    def mistakes(self) -> NDArray[np.int64]:
        """The examples with another label than the answer, the most confident answer first."""
        wrong = np.flatnonzero(self.answers != self.truth)
        return wrong[np.argsort(-self.confidence[wrong], kind="stable")]


def assess(
    labels: tuple[str, ...], probabilities: NDArray[np.floating], truth: NDArray[np.integer]
) -> Assessment:
    """The assessment of answers `[N, K]` to examples of which the labels are known, `[N]`."""
    answers = probabilities.argmax(axis=1)
    confidence = probabilities.max(axis=1).astype(np.float64)
    confusion = np.zeros((len(labels), len(labels)), np.int64)
    np.add.at(confusion, (truth, answers), 1)
    own = np.minimum((confidence * BINS).astype(int), BINS - 1)
    right = answers == truth
    bins = [
        Bin(int(there.sum()), float(confidence[there].mean()), float(right[there].mean()))
        for there in (own == number for number in range(BINS))
        if there.any()
    ]
    return Assessment(labels, confusion, bins, answers, truth, confidence)


def by_label(assessment: Assessment) -> Table:
    """Precision, recall and F1 of each label, as a table for the terminal."""
    table = Table("label", *map(_figures, ("precision", "recall", "F1", "examples")))
    sizes = assessment.confusion.sum(axis=1)
    order = np.argsort(-sizes, kind="stable")[:SHOWN]
    for label in sorted(order):
        figures = assessment.precision[label], assessment.recall[label], assessment.f1[label]
        table.add_row(escape(assessment.labels[label]), *map(percent, figures), f"{sizes[label]:,}")
    if (more := len(sizes) - len(order)) > 0:
        table.add_row(f"… {more} rarer ones")
    return table


def confusion_table(assessment: Assessment) -> Table | None:
    """The confusion matrix as a table for the terminal; None where it would not fit."""
    if len(assessment.labels) > SHOWN // 2:
        return None
    table = Table("label · answer", *map(_figures, map(escape, assessment.labels)))
    for label, row in zip(assessment.labels, assessment.confusion, strict=True):
        table.add_row(escape(label), *(f"{count:,}" for count in row))
    return table


def _figures(name: str) -> Column:
    return Column(name, justify="right")


def percent(share: float) -> str:
    """A share in per cent; a dash for none."""
    return "–" if np.isnan(share) else f"{share:.1%}"


def _ratio(counts: NDArray[np.int64], of: NDArray[np.int64]) -> NDArray[np.float64]:
    return np.divide(counts, of, out=np.full(len(of), np.nan), where=of > 0)
