"""The plot of kinds of networks compared."""

from collections.abc import Sequence
from functools import partial
from statistics import mean
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from rnn_jax.reporting.networks import AS_WRITTEN, accuracies, networks_of
from rnn_jax.reporting.picture import Picture, legend_below, looks, plain_ticks, tidy
from rnn_jax.reporting.rows import Record


def pictures(costs: Sequence[Record], orders: Sequence[Record], platform: str) -> dict[str, Picture]:
    """The file that shows these rows."""
    name = f"networks_{platform}.png"
    return {name: Picture.of(partial(comparison, costs, orders), [*costs, *orders], name, __file__)}


def comparison(costs: Sequence[Record], orders: Sequence[Record]) -> Figure:
    """Draws time and memory of a step over the length, and accuracy over how many words stay together."""
    figure = Figure(figsize=(12.5, 4.2), layout="constrained")
    time, memory, order = figure.subplots(1, 3)
    networks = [*networks_of(costs), *networks_of(orders)]
    for network, look in looks(networks).items():
        own = sorted((row for row in costs if row["network"] == network), key=lambda row: row["length"])
        lengths = [row["length"] for row in own]
        time.plot(lengths, [1e3 * row["step_seconds"] for row in own], **look)
        memory.plot(lengths, [row["temporary_bytes"] / 1e6 for row in own], **look)
        _orders(order, accuracies(orders, network), look)
    for axes, label, title in (
        (time, "ms", "Time of a step of training"),
        (memory, "MB", "Temporary memory of a step, a device"),
    ):
        axes.set(xlabel="tokens a review", ylabel=label, title=title, xscale="log", yscale="log")
        plain_ticks(axes.xaxis)
        plain_ticks(axes.yaxis)
        axes.set_xticks(sorted({row["length"] for row in costs}))
        tidy(axes)
    order.set(
        xlabel="words that stay together", ylabel="validation accuracy (%)", title="Words shuffled in blocks"
    )
    order.set_xscale("log")
    plain_ticks(order.xaxis)
    tidy(order)
    legend_below(figure, time)
    return figure


def _orders(axes: Axes, found: dict[int, list[float]], look: dict[str, Any]) -> None:
    """The mean of the seeds over the size of blocks; dotted, of the reviews as written."""
    blocks = [block for block in found if block != AS_WRITTEN]
    axes.plot(blocks, [mean(found[block]) for block in blocks], **look)
    if AS_WRITTEN in found:
        axes.axhline(mean(found[AS_WRITTEN]), color=look["color"], linestyle=":", alpha=0.6)
