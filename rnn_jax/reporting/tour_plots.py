"""The pictures of the tour: which answers were given, a figure over the epochs, or errors over steps."""

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from rnn_jax.reporting.answers import draw_confusion
from rnn_jax.reporting.picture import Picture, legend_below, looks, plain_ticks, tidy
from rnn_jax.reporting.runs import Row, Run
from rnn_jax.reporting.tour import CHAPTERS, Chapter, picture_name, rows_in


def pictures(runs: Sequence[Run]) -> dict[str, Picture]:
    """The files that show the chapters, one for each platform."""
    found = {}
    for chapter in CHAPTERS:
        rows = rows_in(chapter, runs)
        for platform in dict.fromkeys(row.platform for row in rows):
            own = [row for row in rows if row.platform == platform]
            draw = partial(DRAWN.get(chapter.name, confusions), chapter, own)
            records = [(row.preset, run.result, run.epochs) for row in own for run in row.runs]
            name = picture_name(chapter, platform)
            found[name] = Picture.of(draw, records, name, __file__)
    return found


def over_epochs(
    chapter: Chapter, rows: Sequence[Row], *, field: str = "validation_accuracy", unit: str = ""
) -> Figure:
    """Draws a figure of the validation split over epochs, a line a run."""
    factor, unit = (100, " (%)") if field.endswith("accuracy") else (1, unit)
    figure = Figure(figsize=(7.5, 4.6), layout="constrained")
    axes = figure.subplots()
    for row, look in zip(rows, looks(row.preset for row in rows).values(), strict=True):
        for number, run in enumerate(row.runs):
            values = [factor * epoch[field] for epoch in run.epochs]
            label = row.preset.removeprefix(f"{chapter.task}_") if number == 0 else None
            axes.plot(range(1, len(values) + 1), values, **look | {"label": label}, markersize=4, alpha=0.8)
    axes.set(xlabel="epoch", ylabel=field.replace("_", " ") + unit, title=chapter.title)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    tidy(axes)
    legend_below(figure, axes)
    return figure


def confusions(chapter: Chapter, rows: Sequence[Row]) -> Figure:
    """Draws which answers each network gave, over all its runs: the most accurate first, three at most."""
    shown = list(rows)[::-1][:3]
    figure = Figure(figsize=(4.6 * len(shown), 4.9), layout="compressed")  # squares with titles
    for axes, row in zip(figure.subplots(1, len(shown), squeeze=False)[0], shown, strict=True):
        total = np.sum([run.result["test_confusion"] for run in row.runs], axis=0)
        names = ("other", "promoter") if len(total) == 2 else tuple(map(str, range(len(total))))
        draw_confusion(axes, total, names)
        axes.set_title(row.preset.removeprefix(f"{chapter.task}_"))
    return figure


def errors_over_steps(chapter: Chapter, rows: Sequence[Row]) -> Figure:
    """Draws the error of forecasts over how far ahead they are, as a share of that of the simplest ones."""
    figure = Figure(figsize=(7.5, 4.6), layout="constrained")
    axes = figure.subplots()
    axes.axhline(1, color="gray", linestyle="--", label="naive")
    for row, look in zip(rows, looks(row.preset for row in rows).values(), strict=True):
        steps = [each["steps"] for each in row.runs[0].result["test_by_step"]]
        shares = [
            [each["mse"] / each["naive_mse"] for each in run.result["test_by_step"]] for run in row.runs
        ]
        label = row.preset.removeprefix("forecasting_")
        axes.plot(steps, np.mean(shares, axis=0), **look | {"label": label}, markersize=4)
    axes.set(
        xlabel="steps ahead",
        ylabel="test MSE of all steps up to there, naive = 1",
        title=chapter.title,
        xscale="log",
    )
    plain_ticks(axes.xaxis)
    tidy(axes)
    legend_below(figure, axes)
    return figure


DRAWN: dict[str, Callable[[Chapter, Sequence[Row]], Figure]] = {
    "digits_pixels": over_epochs,  # which are about how cells learn
    "digits_permuted": over_epochs,
    "handwriting": partial(over_epochs, field="validation_loss", unit=" (nats a point)"),
    "translation": partial(over_epochs, field="validation_perplexity"),
    "captioning": partial(over_epochs, field="validation_perplexity"),
    "ett": errors_over_steps,
    "exchange": errors_over_steps,
    "vix": errors_over_steps,
}
