"""Trains a network that translates sentences, and evaluates it.

The same command again goes on where it was stopped, or reports a run that has finished.
"""

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
from rnn_jax.data.batches import Bucketed
from rnn_jax.data.tokenizers import UNKNOWN
from rnn_jax.settings import with_flat
from rnn_jax.tasks import open_as
from rnn_jax.tasks.translation import RECIPE, Languages, Settings, tokens_of, translate
from rnn_jax.training.hosts import is_first
from rnn_jax.training.loop import Run

PICTURE = "alignments.png"
DRAWN = 3  # sentences
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
    """Trains a network that translates sentences, and evaluates it.

    The same command again goes on where it was stopped, or reports a run that has finished.
    """

    settings: Settings
    preset: PresetName = FIRST
    """Settings to start from; the options below change them."""
    predict: str | None = None
    """Translate this sentence, by the trained run in --workdir."""


def plan(run: Run) -> str:
    """What would be trained."""
    data, split = run.data, cast("Bucketed", run.data.train)
    known = cast("Languages", data.preprocessor)
    source, target = known.read_by, known.written
    first = [source.decode(split.columns["source"][0]), target.decode(split.columns["target"][0][:-1])]
    lengths = ", ".join(map(str, split.boundaries))
    return (
        f"{RECIPE.summary(run.settings, known)}\n"
        f"{data.name}: {len(data.train):,} pairs of sentences to train on, {len(data.validation):,} to "
        f"validate, {len(data.test):,} to test; the first, as the network reads it:\n"
        f"    {first[0]}\n    {first[1]}\n"
        f"{run.training.epochs} epochs of {run.epoch_steps} steps, {run.training.batch_size} pairs a step on "
        f"{devices(run)}, padded to {lengths} tokens{takes(run, 'fifteen minutes')}"
    )


def report(result: dict[str, Any], workdir: str, run: Run | None) -> str:
    """What came out, and how to translate."""
    tested = "test split not read"
    if result["test_examples"]:
        if run is not None and is_first():
            draw(workdir, run)
        tested = (
            f"test BLEU {result['test_bleu']:.1f}, where the translation of the most similar training "
            f"sentence has {result['test_nearest_bleu']:.1f}; perplexity {result['test_perplexity']:.2f}"
        )
    lines = [
        f"{result['dataset']}, {result['cell']}, attention {result['attention']}: {tested} (validation "
        f"perplexity {result['validation_perplexity']:.2f}, best of {result['epochs_run']} epochs: "
        f"{result['best_epoch']}) · {result['train_seconds']:.0f} s of training"
    ]
    if result["test_examples"] and result["attention"] != "none":
        lines += where(workdir, [PICTURE], "What it reads when it writes")
    command = f'{python()} -m experiments.translation --workdir {shlex.quote(workdir)} --predict "SENTENCE"'
    return "\n".join([*lines, f"Translate a sentence of your own:\n    {command}"])


def draw(workdir: str, run: Run) -> None:
    """Leaves a picture of what is read when a word is written, where matplotlib is there to draw it."""
    opened = open_as(RECIPE, workdir, unroll="dynamic")
    if not can_draw() or opened.settings.decoder.attention == "none":
        return
    from rnn_jax.reporting.alignments import draw_alignments

    test = cast("Bucketed", run.data.test)
    by_length = np.argsort(test.lengths, kind="stable")
    chosen = by_length[(np.linspace(0.4, 0.8, DRAWN) * len(test)).astype(int)]
    found = translate(opened, [test.columns["source"][i] for i in chosen])
    shown = [(each.read, each.written.tokens, each.written.weights) for each in found]
    save(draw_alignments(shown), Path(workdir) / PICTURE)


def main() -> int:
    """Trains, or reports what was trained, or translates."""
    options = read_options(Options, PRESETS, FIRST)
    if options.predict is not None:
        opened = open_as(RECIPE, options.workdir, unroll="dynamic")
        tokens = tokens_of(opened, options.predict)
        if unknown := int((tokens == UNKNOWN).sum()):
            print(f"warning: {unknown} words and signs of it are unknown to this run", file=sys.stderr)
        [found] = translate(opened, [tokens])
        print(found.written.text)
        return 0
    options = as_begun(options, RECIPE)
    return train(Script("translation", RECIPE, partial(settle, options.settings), plan, report), options)


if __name__ == "__main__":
    run(main)
