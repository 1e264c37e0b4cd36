"""Trains a pen that draws characters of its own, and evaluates it.

The same command again goes on where it was stopped, or reports a run that has finished.
"""

import math
import shlex
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, cast

import numpy as np

from experiments.command_line import Place, run, write_file
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
from rnn_jax.data.batches import Bucketed
from rnn_jax.data.sources.drawings import lines
from rnn_jax.errors import UserError
from rnn_jax.places import local
from rnn_jax.settings import require, with_flat
from rnn_jax.tasks import open_as
from rnn_jax.tasks.handwriting import RECIPE, DrawingPreprocessor, Settings, draw
from rnn_jax.training.hosts import is_first
from rnn_jax.training.loop import Run

PICTURE = "drawings.png"
COLUMNS = 12  # of drawings
SMALL = ("synthetic", {"epochs": 40, "average_decay": 0.95})  # of which there are few
FIRST = "mixture"
PRESETS: dict[str, Settings] = {
    FIRST: Settings(),
    "single_gaussian": with_flat(Settings(), mixtures=1),
    "window": with_flat(Settings(), network="window"),
}

if TYPE_CHECKING:
    PresetName: TypeAlias = str
else:
    PresetName = Literal[tuple(PRESETS)]


@dataclass(frozen=True, kw_only=True)
class Options(TrainingOptions):
    """Trains a pen that draws characters of its own, and evaluates it.

    The same command again goes on where it was stopped, or reports a run that has finished.
    """

    settings: Settings
    preset: PresetName = FIRST
    """Settings to start from; the options below change them."""
    draw: Place | None = None
    """Draw characters into this PNG file, by the trained run in --workdir; --seed decides which."""
    bias: float = 0.0
    """With --draw: 0 draws as people do; 1 or 2 more neatly, nearer to what is likeliest."""


def plan(run: Run) -> str:
    """What would be trained."""
    data, split = run.data, cast("Bucketed", run.data.train)
    known = cast("DrawingPreprocessor", data.preprocessor)
    return (
        f"{RECIPE.summary(run.settings, known)}\n"
        f"{data.name}: {len(data.train):,} drawings to train on, {len(data.validation):,} to validate, "
        f"{len(data.test):,} to test; up to {known.max_length} points\n"
        f"{run.training.epochs} epochs of {run.epoch_steps} steps, {run.training.batch_size} drawings a step "
        f"on {devices(run)}, padded to {', '.join(map(str, split.boundaries))} points"
        f"{takes(run, 'five minutes')}"
    )


def report(result: dict[str, Any], workdir: str, run: Run | None) -> str:
    """What came out, and how to draw."""
    network = result["cell"] if result["network"] == "recurrent" else result["network"]
    count = result["mixtures"]
    what = f"{result['dataset']}, {network}, {f'{count} Gaussians' if count > 1 else 'a single Gaussian'}"
    tested = "test split not read"
    if result["test_examples"]:
        if run is not None and is_first():
            picture(workdir, run)
        tested = (
            f"test loss {result['test_loss']:.3f} nats a point, {result['test_offset_loss']:.3f} of where it "
            f"is and {result['test_action_loss']:.3f} of what the pen does there; "
            f"{result['test_nats_per_drawing']:.1f} a drawing"
        )
    chosen = f"best of {result['epochs_run']} epochs: {result['best_epoch']}"
    output = [
        f"{what}: {tested} (validation {result['validation_loss']:.3f}, {chosen}) · "
        f"{result['train_seconds']:.0f} s of training"
    ]
    if result["test_examples"]:
        output += where(workdir, [PICTURE], "What it draws, beside what people have drawn")
    command = f"{python()} -m experiments.handwriting --workdir {shlex.quote(workdir)} --draw FILE.png"
    return "\n".join([*output, f"Let it draw:\n    {command}"])


def picture(workdir: str, run: Run) -> None:
    """Leaves a picture of what the pen draws, where matplotlib is there to draw it."""
    if not can_draw():
        return
    from rnn_jax.reporting.drawings import Panel, draw_drawings

    opened = open_as(RECIPE, workdir, unroll="dynamic")
    test, known = cast("Bucketed", run.data.test), cast("DrawingPreprocessor", run.data.preprocessor)
    chosen = np.linspace(0, len(test) - 1, 2 * COLUMNS, dtype=int)
    real = [known.back(test.columns["points"][i]) for i in chosen]
    parts = {
        "drawn by people": real,
        "drawn by the network": draw(opened, 2 * COLUMNS),
        "more neatly": draw(opened, COLUMNS, bias=1.0),
    }
    rows = [
        (name, [Panel(lines(each)) for each in found[i : i + COLUMNS]])
        for name, found in parts.items()
        for i in range(0, len(found), COLUMNS)
    ]
    save(draw_drawings(rows), Path(workdir) / PICTURE)


def draw_into(options: Options, file: str) -> None:
    """Draws characters into a file.

    Raises:
        UserError: if the file is none for a picture, or cannot be written, or matplotlib is missing.
    """
    require(0 <= options.bias < math.inf, "bias", options.bias, "must be 0 or more")
    require(file.lower().endswith(".png"), "draw", file, "must be the name of a PNG file")
    if not can_draw():
        raise UserError("--draw needs matplotlib: pip install matplotlib")
    from rnn_jax.reporting.drawings import Panel, draw_drawings

    opened = open_as(RECIPE, options.workdir, unroll="dynamic")
    seed = options.settings.training.seed
    found = [Panel(lines(each)) for each in draw(opened, COLUMNS * 4, seed, options.bias)]
    rows = [("", found[i : i + COLUMNS]) for i in range(0, len(found), COLUMNS)]
    write_file(file, "--draw", lambda path: save(draw_drawings(rows), local(path)))


def main() -> int:
    """Trains, or reports what was trained, or draws."""
    options = read_options(Options, PRESETS, FIRST)
    if options.draw is not None:
        draw_into(options, options.draw)
        return 0
    require(options.bias == 0, "bias", options.bias, "goes with --draw")
    options = as_begun(options, RECIPE)
    return train(
        Script("handwriting", RECIPE, partial(settle, options.settings, small=SMALL), plan, report), options
    )


if __name__ == "__main__":
    run(main)
