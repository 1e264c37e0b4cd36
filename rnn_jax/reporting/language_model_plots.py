"""Plots of language models in training."""

from collections.abc import Sequence
from functools import partial
from itertools import groupby
from math import exp

from matplotlib.figure import Figure

from rnn_jax.reporting.language_models import text_of
from rnn_jax.reporting.picture import Picture, legend_below, looks, tidy
from rnn_jax.reporting.runs import Row, Run
from rnn_jax.reporting.tables import hardware

ABOVE = 2  # times the highest of the best perplexities; what lies higher is of first epochs, and not shown


def pictures(rows: Sequence[Row]) -> dict[str, Picture]:
    """The files that show these rows, which come by text and platform: one for each of both."""
    found = {}
    for (text, platform), group in groupby(rows, key=lambda row: (text_of(row), row.platform)):
        own = list(group)
        name = f"language_model_{text}_{platform}.png"
        records = [[run._asdict() for run in row.runs] for row in own]
        found[name] = Picture.of(partial(perplexities, own), records, name, __file__)
    return found


def perplexities(rows: Sequence[Row]) -> Figure:
    """Draws validation perplexity over minutes of training: a line a seed, the best epoch in a ring."""
    figure = Figure(figsize=(7.5, 4.6), layout="constrained")
    axes = figure.subplots()
    for row, look in zip(rows, looks(row.preset for row in rows).values(), strict=True):
        for number, run in enumerate(row.runs):
            minutes, values = curve(run)
            label = look["label"] if number == 0 else None
            axes.plot(minutes, values, **look | {"label": label}, markersize=4, alpha=0.8)
            best = run.result["best_epoch"] - 1
            axes.plot(minutes[best], values[best], "o", color=look["color"], fillstyle="none", markersize=11)
    best_of_all = [min(curve(run)[1]) for row in rows for run in row.runs]
    worst_of_all = max(max(curve(run)[1]) for row in rows for run in row.runs)
    margin = 0.05 * min(best_of_all)
    axes.set_ylim(min(best_of_all) - margin, min(worst_of_all + margin, ABOVE * max(best_of_all)))
    axes.set_xlim(left=0)
    axes.set(
        xlabel=f"minutes of training on {hardware(rows)}, a mark an epoch, the best in a ring",
        ylabel="validation perplexity",
        title=f"Language models of {text_of(rows[0])}",
    )
    tidy(axes)
    legend_below(figure, axes)
    return figure


def curve(run: Run) -> tuple[list[float], list[float]]:
    """Minutes of training, and validation perplexity, of every epoch."""
    minutes = [epoch["elapsed_seconds"] / 60 for epoch in run.epochs]
    return minutes, [exp(epoch["validation_loss"]) for epoch in run.epochs]
