"""What a network reads when it writes a word."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

Alignment = tuple[Sequence[str], Sequence[str], NDArray[np.floating]]  # S words, T words, weights `[T, S]`


def draw_alignments(alignments: Sequence[Alignment]) -> Figure:
    """A panel a sentence: words that are written down the side, words that are read along the top."""
    widths = [len(read) + 4 for read, _, _ in alignments]
    tallest = max(len(written) for _, written, _ in alignments)
    figure = Figure(figsize=(0.3 * sum(widths), 0.3 * tallest + 1.4), layout="constrained")
    panels = figure.subplots(1, len(alignments), width_ratios=widths, squeeze=False)[0]
    for axes, (read, written, weights) in zip(panels, alignments, strict=True):
        axes.imshow(weights, cmap="Blues", vmin=0, vmax=1)
        axes.set_xticks(range(len(read)), read, rotation=90)
        axes.set_yticks(range(len(written)), written)
        axes.xaxis.tick_top()
        axes.set_anchor("N")
    return figure
