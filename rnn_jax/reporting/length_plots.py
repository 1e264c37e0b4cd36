"""Plots of how accurate networks are on short reviews and on long ones."""

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from rnn_jax.reporting.picture import Picture
from rnn_jax.reporting.runs import Row, Run


def pictures(rows: Sequence[Row]) -> dict[str, Picture]:
    """A file for each platform that shows the rows whose runs have recorded it, on IMDb."""
    recorded = [row for row in rows if all(_is_recorded(run) for run in row.runs)]
    found = {}
    for platform in sorted({row.platform for row in recorded}):
        shown = [row for row in recorded if row.platform == platform]
        name, records = f"length_{platform}.png", [[row.name, row.values("test_by_length")] for row in shown]
        draw: Callable[[], Figure] = partial(accuracy_by_length, shown)
        found[name] = Picture.of(draw, records, name, __file__)
    return found


def accuracy_by_length(rows: Sequence[Row]) -> Figure:
    """Draws a line a network, the best above, and a column a range of length: the mean of the seeds."""
    shown = rows[::-1]
    accuracies = np.array([_accuracies(row) for row in shown])
    ranges = shown[0].values("test_by_length")[0]
    figure = Figure(figsize=(3 + 0.85 * len(ranges), 1.9 + 0.32 * len(shown)), layout="constrained")
    axes = figure.subplots()
    # A range of few reviews is mostly chance, and must not take the colours from the others.
    reviews = np.array([r["reviews"] for r in ranges])
    common = accuracies[:, reviews >= reviews.sum() / 100]
    low, high = common.min(), common.max()
    middle = (low + high) / 2
    axes.imshow(accuracies, aspect="auto", cmap="viridis", vmin=low, vmax=high)
    for (line, column), accuracy in np.ndenumerate(accuracies):
        color = "white" if accuracy < middle else "black"
        axes.text(column, line, f"{accuracy:.1f}", ha="center", va="center", color=color, fontsize=8)
    axes.set_yticks(range(len(shown)), [row.name for row in shown])
    axes.set_xticks(range(len(ranges)), _labels(ranges), fontsize=8)
    axes.set(
        xlabel="words of the review, and how many reviews", title="Test accuracy by length of review (%)"
    )
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    return figure


def _is_recorded(run: Run) -> bool:
    return run.result["dataset"] == "imdb" and "test_by_length" in run.result


def _accuracies(row: Row) -> NDArray[np.float64]:
    """In %, the mean over seeds, of each range."""
    correct = np.array([[r["correct"] for r in counts] for counts in row.values("test_by_length")])
    return 100 * correct.mean(axis=0) / [r["reviews"] for r in row.values("test_by_length")[0]]


def _labels(ranges: Sequence[dict[str, int | None]]) -> list[str]:
    ends = [r["up_to"] for r in ranges]
    words = [f"to {ends[0]}", *(f"to {end}" if end else f"over {ends[-2]}" for end in ends[1:])]
    return [f"{text}\n{r['reviews']:,}" for text, r in zip(words, ranges, strict=True)]
