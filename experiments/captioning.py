"""Trains a network that says what photographs show, and evaluates it.

The same command again goes on where it was stopped, or reports a run that has finished.
"""

import shlex
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, cast

import numpy as np

from experiments.command_line import Place, run
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
from rnn_jax.data.sources.photographs import read_photograph
from rnn_jax.settings import with_flat
from rnn_jax.tasks import open_as
from rnn_jax.tasks.captioning import RECIPE, Settings, describe
from rnn_jax.training.hosts import is_first
from rnn_jax.training.loop import Run

PICTURES = ("captions.png", "looks.png")
DRAWN, LOOKED = 18, 6  # photographs with captions, and of these those with all words
SMALL = ("synthetic", {"epochs": 30, "average_decay": 0.95})  # of which there are few
FIRST = "luong"
PRESETS: dict[str, Settings] = {
    FIRST: Settings(),
    "bahdanau": with_flat(Settings(), attention="bahdanau"),
    "no_attention": with_flat(Settings(), attention="none"),
}

if TYPE_CHECKING:
    PresetName: TypeAlias = str
else:
    PresetName = Literal[tuple(PRESETS)]


@dataclass(frozen=True, kw_only=True)
class Options(TrainingOptions):
    """Trains a network that says what photographs show, and evaluates it.

    The same command again goes on where it was stopped, or reports a run that has finished.
    """

    settings: Settings
    preset: PresetName = FIRST
    """Settings to start from; the options below change them."""
    predict: Place | None = None
    """Say what this photograph shows, by the trained run in --workdir: a file that Pillow reads."""


def plan(run: Run) -> str:
    """What would be trained."""
    data, split = run.data, cast("Bucketed", run.data.train)
    return (
        f"{RECIPE.summary(run.settings, data.preprocessor)}\n"
        f"{data.name}: {len(data.train):,} photographs to train on, {len(data.validation):,} to validate, "
        f"{len(data.test):,} to test, with five captions each\n"
        f"{run.training.epochs} epochs of {run.epoch_steps} steps, {run.training.batch_size} photographs a "
        f"step on {devices(run)}, captions padded to {', '.join(map(str, split.boundaries))} tokens"
        f"{takes(run, 'fifteen minutes')}"
    )


def report(result: dict[str, Any], workdir: str, run: Run | None) -> str:
    """What came out, and how to use it."""
    lines = [f"{result['dataset']}, {result['cell']}, attention {result['attention']}: test split not read"]
    if result["test_examples"]:
        if run is not None and is_first():
            draw(workdir, run)

        def four(name: str) -> str:
            return " / ".join(f"{each:.1f}" for each in result[f"test_{name}bleu"])

        lines = [
            f"{result['dataset']}, {result['cell']}, attention {result['attention']}: test BLEU-1 to 4 "
            f"{four('')}",
            f"    without looking: captions drawn at random {four('random_')}, the most frequent one "
            f"{four('frequent_')}",
        ]
    lines.append(
        f"    validation perplexity {result['validation_perplexity']:.2f}, best of {result['epochs_run']} "
        f"epochs: {result['best_epoch']} · {result['train_seconds']:.0f} s of training"
    )
    if result["test_examples"]:
        lines += where(workdir, PICTURES, "What it says, and where it looks")
    command = f"{python()} -m experiments.captioning --workdir {shlex.quote(workdir)} --predict FILE.jpg"
    return "\n".join([*lines, f"Let it look at a photograph of your own:\n    {command}"])


def draw(workdir: str, run: Run) -> None:
    """Leaves pictures of what is said of test photographs, where matplotlib is there to draw them."""
    if not can_draw():
        return
    from rnn_jax.reporting.looks import Look, draw_captions, draw_looks

    opened, test = open_as(RECIPE, workdir, unroll="dynamic"), cast("Bucketed", run.data.test)
    pixels = np.asarray(test.columns["pixels"])[np.linspace(0, len(test) - 1, DRAWN, dtype=int)]
    found = [Look(image, *said) for image, said in zip(pixels, describe(opened, pixels), strict=True)]
    save(draw_captions(found), Path(workdir) / PICTURES[0])
    if opened.settings.decoder.attention != "none":
        save(draw_looks(found[:LOOKED]), Path(workdir) / PICTURES[1])


def main() -> int:
    """Trains, or reports what was trained, or looks."""
    options = read_options(Options, PRESETS, FIRST)
    if options.predict is not None:
        opened = open_as(RECIPE, options.workdir, unroll="dynamic")
        [said] = describe(opened, read_photograph(options.predict)[None])
        print(said.text)
        return 0
    options = as_begun(options, RECIPE)
    return train(
        Script("captioning", RECIPE, partial(settle, options.settings, small=SMALL), plan, report), options
    )


if __name__ == "__main__":
    run(main)
