"""The plot of unrolls compiled for accelerators that were not there."""

from collections.abc import Sequence
from functools import partial

from matplotlib.figure import Figure

from rnn_jax.reporting.ahead import COSTS, UNROLLS, layers_of
from rnn_jax.reporting.picture import Picture, legend_below, looks, plain_ticks, tidy
from rnn_jax.reporting.rows import Record


def pictures(rows: Sequence[Record], platform: str) -> dict[str, Picture]:
    """The file that shows these rows."""
    name = f"ahead_{platform}.png"
    return {name: Picture.of(partial(ratios, rows, platform), list(rows), name, __file__)}


def ratios(rows: Sequence[Record], platform: str) -> Figure:
    """Draws what stands for the time of training as a multiple of the plain scan's, all sizes."""
    cost, found = COSTS[platform], layers_of(rows)
    lines = [size for size, of in found.items() if of["dynamic"]["status"] == "ok"]
    figure = Figure(figsize=(9, 1.6 + 0.2 * len(lines)), layout="constrained")
    axes = figure.subplots()
    for unroll, look in looks(UNROLLS[1:]).items():
        points = [
            (found[size][unroll][cost.field] / found[size]["dynamic"][cost.field], place)
            for place, size in enumerate(reversed(lines))
            if found[size].get(unroll, {"status": ""})["status"] == "ok"
        ]
        if points:
            axes.plot(*zip(*points, strict=True), **(look | {"linestyle": "", "alpha": 0.85}))
    axes.axvline(1, color="black", linewidth=0.8)
    axes.set(xscale="log", xlabel=f"{cost.name} as a multiple of the plain scan's: left of 1 is less")
    names = [f"{size.cell}  H {size.hidden}  B {size.batch}  T {size.time}" for size in reversed(lines)]
    axes.set_yticks(range(len(lines)), names, fontsize=8)
    plain_ticks(axes.xaxis)
    axes.set_ylim(-1, max(len(lines), 1))
    chips = ", ".join(sorted({row["chip"] for row in rows}))
    axes.set_title(f"Training a layer on {chips}: as its compiler has it, not measured")
    tidy(axes)
    legend_below(figure, axes)
    return figure
