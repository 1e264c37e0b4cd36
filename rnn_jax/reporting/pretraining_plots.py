"""Plots of what a language model is worth to a classifier that starts from its weights."""

from collections.abc import Sequence
from functools import partial
from statistics import mean
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullLocator

from rnn_jax.reporting.picture import COLOURS, MARKERS, Picture, legend_below, tidy
from rnn_jax.reporting.pretraining import Labelled, Pretrained, arm_of

LOOKS: dict[str, dict[str, Any]] = {
    "with": {"color": COLOURS[0], "marker": MARKERS[0], "label": "from a language model"},
    "without": {"color": COLOURS[1], "marker": MARKERS[1], "label": "from drawn weights"},
}


def pictures(labels: Sequence[Labelled], epochs: Sequence[Pretrained], platform: str) -> dict[str, Picture]:
    """The files that show what was recorded on a platform, of what is there."""
    found = {}
    if labels:
        name = f"labels_{platform}.png"
        found[name] = Picture.of(partial(over_labels, labels), list(labels), name, __file__)
    if epochs:
        name = f"pretraining_{platform}.png"
        found[name] = Picture.of(partial(over_minutes, epochs), list(epochs), name, __file__)
    return found


def over_labels(found: Sequence[Labelled]) -> Figure:
    """Draws test accuracy over the number of labelled reviews, with a language model and without."""
    figure = Figure(figsize=(7, 4.6), layout="constrained")
    axes = figure.subplots()
    for arm, look in LOOKS.items():
        _draw(axes, arm_of(found, arm), look)
    axes.set(
        xlabel="labelled reviews to train on",
        ylabel="test accuracy (%)",
        xscale="log",
        title="What a language model is worth: the mean, each seed, and their range",
    )
    axes.set_xticks(sorted({each.examples for each in found}))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda count, _: f"{count:,.0f}"))
    axes.xaxis.set_minor_locator(NullLocator())
    tidy(axes)
    legend_below(figure, axes)
    return figure


def over_minutes(found: Sequence[Pretrained]) -> Figure:
    """Draws validation accuracy over the minutes that the language model was trained, with its epochs."""
    figure = Figure(figsize=(7, 4.6), layout="constrained")
    axes = figure.subplots()
    _draw(axes, {each.seconds / 60: each.accuracies for each in found}, LOOKS["with"] | {"label": None})
    for each in found:
        place = each.seconds / 60, max(each.accuracies)
        text = f"{each.epochs:g}"
        axes.annotate(text, place, (0, 6), textcoords="offset points", ha="center", fontsize=9)
    axes.set(
        xlabel="minutes of training the language model; above each mark, its epochs",
        ylabel="validation accuracy (%)",
        title="What pretraining is worth: the mean, each seed, and their range",
    )
    axes.margins(y=0.12)
    tidy(axes)
    return figure


def _draw(axes: Axes, found: dict[Any, list[float]], look: dict[str, Any]) -> None:
    """The mean over the seeds, the range between them, and each."""
    places = sorted(found)
    lows, highs = ([end(found[place]) for place in places] for end in (min, max))
    axes.fill_between(places, lows, highs, color=look["color"], alpha=0.15, linewidth=0)
    axes.plot(places, [mean(found[place]) for place in places], **look)
    for place in places:
        values = found[place]
        axes.scatter(
            [place] * len(values), values, color=look["color"], marker=look["marker"], alpha=0.3, s=16
        )
