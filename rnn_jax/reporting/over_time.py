"""What a classifier makes of single sequences while it reads them."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from rnn_jax.reporting.picture import COLOURS, tidy

NAMED = 4  # labels that a curve is drawn for: those that are ever the most probable, the likeliest first


class Read(NamedTuple):
    """A sequence, and the probabilities over its steps."""

    title: str
    values: NDArray[np.floating]  # [T, D]
    probabilities: NDArray[np.floating]  # [T, K]


def draw_over_time(read: Sequence[Read], labels: Sequence[str], step: str, feature: str) -> Figure:
    """A column a sequence: its features over time, and below how probable labels are when so much is read.

    Args:
        read: the sequences.
        labels: K names.
        step: what a step is.
        feature: what a feature is.
    """
    figure = Figure(figsize=(3.9 * len(read), 4.6), layout="constrained")
    panels = figure.subplots(2, len(read), squeeze=False, sharex="col")
    for (above, below), each in zip(panels.T, read, strict=True):
        above.imshow(each.values.T, aspect="auto", origin="lower", cmap="magma", interpolation="nearest")
        above.set(title=each.title, ylabel=feature)
        ever = np.unique(each.probabilities.argmax(axis=1))
        best = sorted(ever, key=lambda label: -each.probabilities[-1, label])[:NAMED]
        for colour, label in zip(COLOURS, best, strict=False):
            below.plot(each.probabilities[:, label], color=colour, label=labels[label])
        below.set(xlabel=step, ylabel="probability", ylim=(-0.02, 1.02))
        below.legend(frameon=False, loc="center right", fontsize="small")
        tidy(below)
    return figure
