"""A heat map of the gates of a recurrent layer over a text."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

MOST_WORDS = 60  # that are drawn: more cannot be read


def draw_gates(words: Sequence[str], gates: dict[str, NDArray[np.float32]]) -> Figure:
    """A panel a gate: words from left to right, units from top to bottom, the same order in every panel.

    Args:
        words: `[T]`; of a longer text the last `MOST_WORDS`.
        gates: `{name: [T, H]}`, from 0 to 1 for gates, around 0 for a candidate.
    """
    shown = words[-MOST_WORDS:]
    first = next(iter(gates.values()))
    order = np.argsort(-first.mean(axis=0), kind="stable")
    width = max(7.0, 0.22 * len(shown) + 2)  # of the title, of the words
    figure = Figure(figsize=(width, 1.6 * len(gates) + 0.9), layout="constrained")
    panels = figure.subplots(len(gates), 1, sharex=True, squeeze=False)[:, 0]
    for axes, (name, values) in zip(panels, gates.items(), strict=True):
        signed = name == "candidate"
        largest = max(1.0, np.abs(values).max()) if signed else 1.0  # some candidates have no bound
        image = axes.imshow(
            values[-MOST_WORDS:, order].T,
            aspect="auto",
            interpolation="nearest",
            cmap="RdBu" if signed else "viridis",
            vmin=-largest if signed else 0,
            vmax=largest,
        )
        axes.set(title=name, ylabel="unit", yticks=[])
        figure.colorbar(image, ax=axes, pad=0.01)
    panels[-1].set_xticks(range(len(shown)), shown, rotation=90, fontsize=8)
    which = f"the last {len(shown)} of {len(words)} words" if len(words) > len(shown) else "all words"
    title = f"First layer, read forward: {which}; units by the mean of their {next(iter(gates))}"
    figure.suptitle(title, fontsize="medium")
    return figure
