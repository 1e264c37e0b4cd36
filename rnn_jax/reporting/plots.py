"""Plots of recorded runs."""

from collections.abc import Callable, Sequence
from functools import partial
from itertools import cycle
from statistics import mean
from typing import Any, NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from rnn_jax.reporting.picture import COLOURS, MARKERS, Picture, tidy
from rnn_jax.reporting.runs import Row
from rnn_jax.reporting.tables import hardware

Draw = Callable[[Sequence[Row]], Figure]


class Look(NamedTuple):
    """How one network looks, in every plot."""

    color: str
    marker: str


def pictures(rows: Sequence[Row]) -> dict[str, Picture]:
    """The files that show these rows: test accuracies, and each platform's curves."""
    platforms = sorted({row.platform for row in rows})
    draws: dict[str, Draw] = {"test_accuracy.png": test_accuracies}
    draws |= {f"training_{platform}.png": training_curves(platform) for platform in platforms}
    records = [[run._replace(correct=None)._asdict() for run in row.runs] for row in rows]
    return {name: Picture.of(partial(draw, rows), records, name, __file__) for name, draw in draws.items()}


def training_curves(platform: str) -> Draw:
    """Draws loss and accuracy over epochs on one platform: the mean of the seeds, and each seed thinly."""

    def draw(rows: Sequence[Row]) -> Figure:
        looks = _looks(rows)
        shown = [row for row in rows if row.platform == platform and _validated(row)]
        figure = Figure(figsize=(9, 4.4), layout="constrained")
        left, right = figure.subplots(1, 2)
        for row in shown:
            for part, style in (("train", "--"), ("validation", "-")):
                _curves(left, row, f"{part}_loss", looks[row.name], style)
                _curves(right, row, f"{part}_accuracy", looks[row.name], style)
            _best_epochs(right, row, looks[row.name])
        left.set(xlabel="epoch", ylabel="cross-entropy (nats a review)", title="Loss")
        right.set(
            xlabel="epoch", ylabel="right answers (%)", title="Accuracy, marked at each seed's best epoch"
        )
        for axes in (left, right):
            tidy(axes)
            axes.xaxis.get_major_locator().set_params(integer=True)
        figure.suptitle(
            f"Training on {platform.upper()} ({hardware(shown)}): the mean of the seeds, each seed thinly"
        )
        # Below the axes, where it cannot cover a curve.
        handles = _legend(shown, looks)
        columns = len(handles) if len(handles) <= 5 else 4
        figure.legend(handles=handles, loc="outside lower center", ncols=columns, frameon=False)
        return figure

    return draw


def test_accuracies(rows: Sequence[Row]) -> Figure:
    """Draws the test accuracy of every seed, and the mean of each network."""
    looks = _looks(rows)
    figure = Figure(figsize=(8, 1.4 + 0.5 * len(rows)), layout="constrained")
    axes = figure.subplots()
    for place, row in enumerate(rows):
        color, marker = looks[row.name]
        accuracies = [100 * accuracy for accuracy in row.values("test_accuracy")]
        middle = mean(accuracies)
        axes.plot(accuracies, [place] * len(accuracies), marker, color=color, alpha=0.7)
        axes.plot([middle] * 2, [place - 0.25, place + 0.25], color=color, linewidth=2.5)
        axes.annotate(f"{middle:.2f}", (middle, place + 0.28), ha="center", va="bottom", fontsize=9)
    axes.set(
        xlabel="test accuracy (%)",
        ylim=(-0.5, len(rows) - 0.2),
        title="Test accuracy: a mark a seed, a line at the mean",
    )
    axes.set_yticks(range(len(rows)), [f"{row.name}, {row.platform.upper()}" for row in rows])
    axes.margins(x=0.08)
    tidy(axes)
    axes.grid(visible=False, axis="y")
    return figure


def _validated(row: Row) -> bool:
    """Whether there are epochs, and reviews were held out to validate each."""
    return all(run.epochs and run.result["validation_accuracy"] is not None for run in row.runs)


def _looks(rows: Sequence[Row]) -> dict[str, Look]:
    """A look for each network, the same on every platform, and for however many there are."""
    names = dict.fromkeys(row.name for row in rows)
    return dict(zip(names, map(Look, cycle(COLOURS), cycle(MARKERS)), strict=False))


def _curves(axes: Axes, row: Row, name: str, look: Look, style: str) -> None:
    curves = [_curve(epochs, name) for epochs in (run.epochs for run in row.runs)]
    for curve in curves:
        axes.plot(range(1, len(curve) + 1), curve, style, color=look.color, alpha=0.3, linewidth=0.8)
    shared = min(map(len, curves))  # seeds may stop early
    means = [mean(curve[i] for curve in curves) for i in range(shared)]
    axes.plot(range(1, shared + 1), means, style, color=look.color)


def _curve(epochs: Sequence[dict[str, Any]], name: str) -> list[float]:
    return [(100 if name.endswith("accuracy") else 1) * epoch[name] for epoch in epochs]


def _best_epochs(axes: Axes, row: Row, look: Look) -> None:
    """Marks the epoch whose weights were tested, on the validation curve of each seed."""
    for run in row.runs:
        best = run.result["best_epoch"]
        accuracy = _curve(run.epochs, "validation_accuracy")[best - 1]
        axes.plot(best, accuracy, look.marker, color=look.color, markersize=5, markeredgecolor="white")


def _legend(rows: Sequence[Row], looks: dict[str, Look]) -> list[Line2D]:
    return [
        *(Line2D([], [], color=looks[r.name].color, marker=looks[r.name].marker, label=r.name) for r in rows),
        Line2D([], [], color="gray", linestyle="--", label="training, with dropout"),
        Line2D([], [], color="gray", label="validation"),
    ]
