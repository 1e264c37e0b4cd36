"""The picture of a classifier of sequences: which answers it gave, and how early it knew them."""

from collections.abc import Sequence

import numpy as np
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
    shown = confusion / np.maximum(confusion.sum(axis=1, keepdims=True), 1)
    image = matrix.imshow(np.sqrt(shown), cmap="Blues", vmin=0, vmax=1)  # so that rare mistakes are seen
    for row, own in enumerate(confusion):
        for column, number in enumerate(own):
            if number:
                colour = "white" if image.norm(np.sqrt(shown[row, column])) > 0.6 else "black"
                matrix.text(column, row, f"{number:,}", ha="center", va="center", fontsize=8, color=colour)
    matrix.set(xlabel="answer", ylabel="label", title=f"{confusion.sum():,} test examples")
    matrix.set_xticks(range(len(labels)), labels)
    matrix.set_yticks(range(len(labels)), labels)
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
