"""The plot of the benchmark of data parallelism."""

from collections.abc import Sequence
from functools import partial
from typing import Any

from matplotlib.figure import Figure

from rnn_jax.reporting.picture import COLOURS, MARKERS, Picture, tidy
from rnn_jax.reporting.scaling import FIXED, series


def pictures(rows: Sequence[dict[str, Any]], platform: str) -> dict[str, Picture]:
    """The file that shows these rows."""
    name = f"data_parallel_{platform}.png"
    return {name: Picture.of(partial(scaling, rows), list(rows), name, __file__)}


def scaling(rows: Sequence[dict[str, Any]]) -> Figure:
    """Draws throughput over the number of devices, beside what the speed of one would come to."""
    figure = Figure(figsize=(6, 4), layout="constrained")
    axes = figure.subplots()
    for (fixed, name), color, marker in zip(FIXED.items(), COLOURS, MARKERS, strict=False):
        own = series(rows, fixed)
        devices = [row["devices"] for row in own]
        rates = [row["reviews_per_second"] for row in own]
        axes.plot(devices, rates, marker=marker, color=color, label=f"{name} fixed")
        axes.plot(devices, [rates[0] * count / devices[0] for count in devices], ":", color=color)
    axes.set(xlabel="devices", ylabel="reviews/s", title="Training; dotted: the speed of one, times devices")
    axes.set_xticks(sorted({row["devices"] for row in rows}))
    axes.set_ylim(bottom=0)
    axes.legend(frameon=False)
    tidy(axes)
    return figure
