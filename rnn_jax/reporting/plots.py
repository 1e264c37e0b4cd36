"""Plots of recorded runs."""

from collections.abc import Callable, Sequence
from functools import partial
from statistics import mean
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from rnn_jax.reporting.picture import COLOURS, Picture, tidy
from rnn_jax.reporting.runs import Row
from rnn_jax.reporting.tables import hardware

Draw = Callable[[Sequence[Row]], Figure]

COLUMNS = 4  # panels side by side
TRAINING: dict[str, Any] = {"color": COLOURS[0], "linestyle": "--"}
VALIDATION: dict[str, Any] = {"color": COLOURS[1], "linestyle": "-"}
OTHERS: dict[str, Any] = {"color": "0.8", "linewidth": 0.8, "zorder": 0}


def pictures(rows: Sequence[Row]) -> dict[str, Picture]:
    """The files that show these rows: test accuracies, and each platform's curves."""
    platforms = sorted({row.platform for row in rows if _validated(row)})
    draws: dict[str, Draw] = {"test_accuracy.png": test_accuracies}
    draws |= {f"training_{platform}.png": training_curves(platform) for platform in platforms}
    records = [[run._replace(correct=None)._asdict() for run in row.runs] for row in rows]
    return {name: Picture.of(partial(draw, rows), records, name, __file__) for name, draw in draws.items()}


def training_curves(platform: str) -> Draw:
    """Draws accuracy over epochs on one platform, a panel a network, the best first.

    Of each, the mean of the seeds, and each seed thinly; the validation curves of the others are grey.
    """

    def draw(rows: Sequence[Row]) -> Figure:
        shown = [row for row in rows[::-1] if row.platform == platform and _validated(row)]
        columns, lines = min(len(shown), COLUMNS), -(-len(shown) // COLUMNS)
        figure = Figure(figsize=(max(2.6 * columns, 6), 2.2 * lines + 1.3), layout="constrained")
        panels = list(figure.subplots(lines, columns, sharex=True, sharey=True, squeeze=False).flat)
        for axes in panels[len(shown) :]:
            axes.remove()
        for number, (axes, row) in enumerate(zip(panels, shown, strict=False)):
            for other in shown:
                axes.plot(*_mean_curve(other, "validation_accuracy"), **OTHERS)
            for name, look in (("train_accuracy", TRAINING), ("validation_accuracy", VALIDATION)):
                for run in row.runs:
                    accuracies = _curve(run.epochs, name)
                    axes.plot(range(1, len(accuracies) + 1), accuracies, **look, alpha=0.3, linewidth=0.8)
                axes.plot(*_mean_curve(row, name), **look)
            _mark_best_epochs(axes, row)
            axes.set_title(row.name, fontsize=10)
            axes.xaxis.get_major_locator().set_params(integer=True)
            if number + columns >= len(shown):  # the lowest of its column
                axes.set_xlabel("epoch")
                axes.tick_params(labelbottom=True)
            tidy(axes)
        # The first epochs of training, with dropout, may lie far below what is of interest.
        lowest = min(min(_mean_curve(row, "validation_accuracy")[1]) for row in shown)
        panels[0].set_ylim(bottom=lowest - 2)
        figure.supylabel("accuracy (%)", fontsize=10)
        figure.suptitle(
            f"Training on {platform.upper()} ({hardware(shown)}), marked at each seed's best epoch"
        )
        handles = [
            Line2D([], [], **TRAINING, label="training, with dropout"),
            Line2D([], [], **VALIDATION, label="validation"),
            Line2D([], [], **OTHERS, label="validation, other networks"),
        ]
        figure.legend(handles=handles, loc="outside lower center", ncols=3, frameon=False)
        return figure

    return draw


def test_accuracies(rows: Sequence[Row]) -> Figure:
    """Draws the test accuracy of every seed, and the mean of each network."""
    figure = Figure(figsize=(8, 1.4 + 0.5 * len(rows)), layout="constrained")
    axes = figure.subplots()
    for place, row in enumerate(rows):
        accuracies = [100 * accuracy for accuracy in row.values("test_accuracy")]
        middle = mean(accuracies)
        axes.plot(accuracies, [place] * len(accuracies), "o", color=COLOURS[0], alpha=0.7)
        axes.plot([middle] * 2, [place - 0.25, place + 0.25], color=COLOURS[0], linewidth=2.5)
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


def _mean_curve(row: Row, name: str) -> tuple[Sequence[int], list[float]]:
    """The mean over the seeds, as far as all of them go: they may stop early."""
    curves = [_curve(run.epochs, name) for run in row.runs]
    shared = min(map(len, curves))
    return range(1, shared + 1), [mean(curve[i] for curve in curves) for i in range(shared)]


def _curve(epochs: Sequence[dict[str, Any]], name: str) -> list[float]:
    return [100 * epoch[name] for epoch in epochs]


def _mark_best_epochs(axes: Axes, row: Row) -> None:
    """Marks the epoch whose weights were tested, on the validation curve of each seed."""
    for run in row.runs:
        best = run.result["best_epoch"]
        accuracy = _curve(run.epochs, "validation_accuracy")[best - 1]
        axes.plot(best, accuracy, "o", color=VALIDATION["color"], markersize=5, markeredgecolor="white")
