"""The picture of a classifier of sequences: which answers it gave, and how early it knew them."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from rnn_jax.reporting.picture import COLOURS, tidy


def draw_answers(
    confusion: NDArray[np.integer],
    labels: Sequence[str],
    shares: Sequence[float],
    accuracies: Sequence[float],
) -> Figure:
    """A confusion matrix, and accuracy over how much of a sequence has been read.

    Args:
        confusion: `[K, K]`, how many examples of a label, a row, were given which, a column.
        labels: K names.
        shares: of the steps of each sequence, from 0 to 1.
        accuracies: when so much has been read.
    """
    figure = Figure(figsize=(11, 4.6), layout="constrained")
    matrix, curve = figure.subplots(1, 2)
    draw_confusion(matrix, confusion, labels)
    matrix.set_title(f"{confusion.sum():,} test examples")
    curve.plot([100 * share for share in shares], [100 * each for each in accuracies], "o-", color=COLOURS[0])
    curve.set(
        xlabel="steps read (%)",
        ylabel="test accuracy (%)",
        title="How early it knows",
        xlim=(0, 103),
        ylim=(0, 103),
    )
    tidy(curve)
    return figure


def draw_confusion(axes: Axes, confusion: NDArray[np.integer], labels: Sequence[str]) -> None:
    """A confusion matrix, a row a label; colours are of roots of shares, so that rare mistakes are seen."""
    shown = np.sqrt(confusion / np.maximum(confusion.sum(axis=1, keepdims=True), 1))
    axes.imshow(shown, cmap="Blues", vmin=0, vmax=1)
    for row, own in enumerate(confusion):
        for column, number in enumerate(own):
            if number:
                colour = "white" if shown[row, column] > 0.6 else "black"
                axes.text(column, row, f"{number:,}", ha="center", va="center", fontsize=8, color=colour)
    axes.set(xlabel="answer", ylabel="label")
    axes.set_xticks(range(len(labels)), labels)
    axes.set_yticks(range(len(labels)), labels)
