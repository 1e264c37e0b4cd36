"""Which bases, at which places, speak for a promoter."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from rnn_jax.reporting.picture import COLOURS, tidy


def draw_motifs(contributions: NDArray[np.floating], bases: Sequence[str], start: int) -> Figure:
    """Stacked bars over the places: above zero what speaks for a promoter, below what speaks against one.

    Args:
        contributions: `[T, 4]`, to the log-odds, means over promoters.
        bases: names of the columns.
        start: the place where transcription begins.
    """
    places = np.arange(len(contributions)) - start
    figure = Figure(figsize=(11, 3.6), layout="constrained")
    axes = figure.subplots()
    for sign in (1, -1):
        floor = np.zeros(len(places))
        for column, colour in zip(np.maximum(sign * contributions, 0).T, COLOURS, strict=False):
            axes.bar(places, sign * column, bottom=sign * floor, width=1.0, color=colour)
            floor += column
    for base, colour in zip(bases, COLOURS, strict=False):
        axes.bar(0, 0, color=colour, label=base)
    axes.axvline(0, color="gray", linewidth=0.8)
    axes.set(
        xlabel="base, from the start of transcription",
        ylabel="contribution to the log-odds",
        title="What speaks for a promoter, in the mean over the test promoters",
        xlim=(places[0] - 1, places[-1] + 1),
    )
    axes.legend(frameon=False, ncols=len(bases))
    tidy(axes)
    return figure
