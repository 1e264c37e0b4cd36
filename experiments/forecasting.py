"""Trains a network that forecasts a series, and evaluates it beside the simplest forecast.

The same command again goes on where it was stopped, or reports a run that has finished.
"""

import os
import shlex
import sys
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, cast

import numpy as np

from experiments.command_line import run
from experiments.pictures import can_draw, save, where
from experiments.training import (
    Script,
    TrainingOptions,
    as_begun,
    devices,
    python,
    read_options,
    settle,
    takes,
    train,
)
from rnn_jax.data.sources import series
from rnn_jax.data.windows import Windows
from rnn_jax.errors import UserError
from rnn_jax.models.forecaster import QUANTILES
from rnn_jax.places import local
from rnn_jax.settings import with_flat
from rnn_jax.tasks import open_as
from rnn_jax.tasks.forecasting import RECIPE, SeriesPreprocessor, Settings, forecast
from rnn_jax.training.hosts import is_first
from rnn_jax.training.loop import Run

PICTURE = "forecast.png"
DRAWN = 3  # test windows
SHARE = QUANTILES[-1] - QUANTILES[0]
ETT = with_flat(Settings(), dataset="ett/h1", epochs=5)
EXCHANGE = with_flat(
    Settings(), dataset="exchange_rate", history=96, horizon=24, segment=12, hidden_size=64, epochs=5
)
VIX = with_flat(
    Settings(), dataset="finance_vix", history=120, horizon=20, segment=10, hidden_size=32, epochs=5
)
FIRST, OWN = "segments", "own"
NETWORKS: dict[str, Settings] = {
    "ett": ETT,
    **{f"ett_{horizon}": with_flat(ETT, horizon=horizon) for horizon in (192, 336, 720)},
    "exchange": EXCHANGE,
    "vix": VIX,
}
LINEAR: dict[str, Any] = {"network": "linear", "learning_rate": 3e-3}
PRESETS: dict[str, Settings] = {
    FIRST: with_flat(ETT, dataset="auto"),
    OWN: with_flat(EXCHANGE, dataset="auto"),
    **NETWORKS,
    **{f"{name}_linear": with_flat(settings, **LINEAR) for name, settings in NETWORKS.items()},
}

if TYPE_CHECKING:
    PresetName: TypeAlias = str
else:
    PresetName = Literal[tuple(PRESETS)]


@dataclass(frozen=True, kw_only=True)
class Options(TrainingOptions):
    """Trains a network that forecasts a series, and evaluates it beside the simplest forecast.

    The same command again goes on where it was stopped, or reports a run that has finished. A series of your
    own: `--train FILE.csv --target COLUMN`.
    """

    settings: Settings
    preset: PresetName = FIRST
    """Series and settings to start from; the options below change them. With --train, it is own."""
    predict: bool = False
    """Print what comes after the end of the series, by the trained run in --workdir."""


def plan(run: Run) -> str:
    """What would be trained."""
    data, forecaster = run.data, run.settings.forecaster
    known = cast("SeriesPreprocessor", data.preprocessor)
    return (
        f"{RECIPE.summary(run.settings, known)}\n"
        f"{data.name}: {', '.join(known.variables)}; {len(data.train):,} windows to train on, "
        f"{len(data.validation):,} to validate, {len(data.test):,} to test; {forecaster.history} steps are "
        f"read, {forecaster.horizon} forecast\n"
        f"{run.training.epochs} epochs of {run.epoch_steps} steps, {run.training.batch_size} windows a step "
        f"on {devices(run)}{takes(run, 'one to five minutes')}"
    )


def report(result: dict[str, Any], workdir: str, run: Run | None) -> str:
    """What came out beside the simplest forecast, and how to use it."""
    network = result["cell"] if result["network"] == "recurrent" else result["network"]
    lines = [f"{result['dataset']}, {network}: test split not read"]
    if result["test_examples"]:
        if run is not None and is_first():
            draw(workdir, run)
        better = result["test_mse"] < result["test_naive_mse"]
        season = "the last value" if naive_season(workdir) == 1 else "the last season"
        lines = [
            f"{result['dataset']}, {network}: test MSE {result['test_mse']:.4f}, "
            f"MAE {result['test_mae']:.4f}, {result['test_coverage']:.1%} in the {SHARE:.0%} band",
            f"    {season} again and again: MSE {result['test_naive_mse']:.4f}, "
            f"MAE {result['test_naive_mae']:.4f}{'' if better else ' – and that is the better forecast'}",
        ]
    lines.append(
        f"    validation MSE {result['validation_mse']:.4f}, best of {result['epochs_run']} epochs: "
        f"{result['best_epoch']} · {result['train_seconds']:.0f} s of training"
    )
    if result["test_examples"]:
        lines += where(workdir, [PICTURE], "Some of its forecasts")
    command = f"{python()} -m experiments.forecasting --workdir {shlex.quote(workdir)} --predict"
    return "\n".join([*lines, f"What comes next:\n    {command}"])


def naive_season(workdir: str) -> int:
    """After how many steps the simplest forecast repeats itself."""
    return SeriesPreprocessor.read(Path(workdir)).season


def draw(workdir: str, run: Run) -> None:
    """Leaves a picture of some test forecasts of the last variable, where matplotlib is there to draw it."""
    if not can_draw():
        return
    from rnn_jax.reporting.forecasts import Forecast, draw_forecasts

    test, known = cast("Windows", run.data.test), cast("SeriesPreprocessor", run.data.preprocessor)
    opened = open_as(RECIPE, workdir, unroll="dynamic")
    shown = []
    for place in np.linspace(0, len(test) - 1, DRAWN, dtype=int):
        history, future = known.back(test.histories()[place]), known.back(test.futures()[place])
        bands = forecast(opened, history)[:, -1]
        title = f"{known.variables[-1]}, test window {place + 1:,} of {len(test):,}"
        shown.append(Forecast(title, history[:, -1], future[:, -1], bands))
    save(draw_forecasts(shown, SHARE), Path(workdir) / PICTURE)


def predict(options: Options) -> str:
    """What comes after the end of the series, a line a step: of each variable the mean, and the band."""
    opened = open_as(RECIPE, options.workdir, unroll="dynamic")
    known = cast("SeriesPreprocessor", opened.preprocessor)
    found, history = series.load(opened.settings.data, options.data_dir), opened.settings.forecaster.history
    if found.variables != known.variables:
        raise UserError(f"{options.workdir} knows {', '.join(known.variables)}: the series has others now")
    if len(found.values) < history:
        raise UserError(f"{found.name} has {len(found.values)} steps: {options.workdir} reads {history}")
    steps = forecast(opened, found.values[-history:])[..., [0, 1, -1]]
    band = f"{QUANTILES[0]:.0%}\t{QUANTILES[-1]:.0%}"
    lines = ["\t".join(["step", *(f"{name}\t{band}" for name in known.variables)])]
    for number, step in enumerate(steps.reshape(len(steps), -1), start=1):
        lines.append("\t".join([str(number), *(f"{each:.4g}" for each in step)]))
    return "\n".join(lines)


def settle_series(settings: Settings, dataset: str | None) -> Settings | None:
    """The settings once it is known which series is at hand; a file by its whole path."""
    if settings.data.train:
        return with_flat(settings, train=os.path.abspath(local(settings.data.train)))
    settled: Settings | None = settle(settings, dataset)
    return settled


def main() -> int:
    """Trains, or reports what was trained, or forecasts."""
    own = any(word.split("=")[0] == "--train" for word in sys.argv)
    options = read_options(Options, PRESETS, OWN if own else FIRST)
    if options.predict:
        print(predict(options))
        return 0
    options = as_begun(options, RECIPE)
    return train(
        Script("forecasting", RECIPE, partial(settle_series, options.settings), plan, report), options
    )


if __name__ == "__main__":
    run(main)
