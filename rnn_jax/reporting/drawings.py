"""What a pen has drawn."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from rnn_jax.reporting.picture import COLOURS

SIDE = 0.95  # inches


class Panel(NamedTuple):
    """Lines that a pen has drawn without being lifted, and what is written above them."""

    lines: Sequence[NDArray[np.floating]]  # [N, 2] each, y upward
    title: str = ""


def draw_drawings(rows: Sequence[tuple[str, Sequence[Panel]]], *, begin: bool = False) -> Figure:
    """Rows of drawings, each as large as its panel, in its own proportions.

    Args:
        rows: a name and its drawings; rows of one name follow one another.
        begin: whether a dot is where the pen begins.
    """
    columns = max(len(drawings) for _, drawings in rows)
    titled = any(each.title for _, drawings in rows for each in drawings)
    height = (SIDE + 0.25 * titled) * len(rows) + 0.3 * len({name for name, _ in rows})
    figure = Figure(figsize=(SIDE * columns + 0.4, height), layout="constrained")
    panels = figure.subplots(len(rows), columns, squeeze=False)
    before = ""
    for axes, (name, drawings) in zip(panels, rows, strict=True):
        for own in axes:
            own.set_axis_off()
            own.set_aspect("equal", adjustable="datalim")
        for own, drawing in zip(axes, drawings, strict=False):
            for line in drawing.lines:
                own.plot(*line.T, color=COLOURS[0], linewidth=1.4, solid_capstyle="round")
            if begin:
                own.plot(*drawing.lines[0][0], "o", color=COLOURS[1], markersize=4)
            own.set_title(drawing.title, fontsize="small")
        if name != before:
            above = "\n" * titled  # the title of the drawing
            axes[0].set_title(name + above, loc="left", fontsize="medium")
        before = name
    return figure
