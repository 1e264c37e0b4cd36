"""Plots of what cells remember."""

from collections.abc import Sequence
from functools import partial
from statistics import mean

import numpy as np
from matplotlib.figure import Figure

from rnn_jax.reporting.memory import scores
from rnn_jax.reporting.picture import Picture, legend_below, looks, plain_ticks, tidy
from rnn_jax.reporting.rows import Record


def pictures(rows: Sequence[Record], platform: str) -> dict[str, Picture]:
    """The files that show these rows."""
    draws = {f"memory_{platform}.png": remembered, f"gradients_{platform}.png": gradients}
    return {name: Picture.of(partial(draw, rows), list(rows), name, __file__) for name, draw in draws.items()}


def remembered(rows: Sequence[Record]) -> Figure:
    """Draws the score over the length, a panel a task: the mean of the seeds, and each seed."""
    tasks = list(dict.fromkeys(row["task"] for row in rows))
    figure = Figure(figsize=(4.8 * len(tasks), 4.2), layout="constrained")
    panels = figure.subplots(1, len(tasks), squeeze=False)[0]
    for axes, task in zip(panels, tasks, strict=True):
        for cell, look in looks(row["cell"] for row in rows).items():
            found = scores(rows, task, cell)
            means = [100 * mean(values) for values in found.values()]
            axes.plot(list(found), means, **look)
            lengths = [length for length, values in found.items() for _ in values]
            each = [100 * value for values in found.values() for value in values]
            axes.scatter(lengths, each, color=look["color"], marker=look["marker"], alpha=0.3)
        axes.set(title=task, xlabel="steps", xscale="log", ylim=(-5, 105))
        plain_ticks(axes.xaxis)
        axes.set_xticks(sorted({row["length"] for row in rows}))
        tidy(axes)
    panels[0].set_ylabel("remembered (%)")
    figure.suptitle("What is remembered after the same training, over the length")
    legend_below(figure, panels[0])
    return figure


def gradients(rows: Sequence[Record]) -> Figure:
    """Draws how far gradients reach back on the longest adding problem, before and after training."""
    adding = [row for row in rows if row["task"] == "adding"] or list(rows)
    longest = max(row["length"] for row in adding)
    figure = Figure(figsize=(9.6, 4.2), layout="constrained")
    panels = figure.subplots(1, 2, sharey=True)
    for axes, when in zip(panels, ("before", "after"), strict=True):
        for cell, look in looks(row["cell"] for row in rows).items():
            own = [r for r in adding if (r["cell"], r["length"]) == (cell, longest)]
            if not own:
                continue
            norms = np.array([row["gradient_norms"][when]["norm"] for row in own])
            distances = own[0]["gradient_norms"][when]["distance"]
            axes.plot(distances, np.maximum(norms, 1e-12).mean(axis=0), **look | {"marker": ""})
        axes.set(title=f"{when} training", xlabel="steps back", yscale="log")
        tidy(axes)
    panels[0].set_ylim(bottom=1e-12)
    panels[0].set_ylabel("norm of ∂ (last output) / ∂ input")
    figure.suptitle(f"How far a gradient reaches back: {adding[0]['task']}, {longest} steps")
    legend_below(figure, panels[0])
    return figure
