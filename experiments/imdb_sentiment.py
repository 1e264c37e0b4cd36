"""Trains a recurrent network on the sentiment of film reviews, and evaluates it.

The same command again goes on where it was stopped, or reports a run that has finished.
"""

import argparse
import os
import shlex
import sys
import time
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import tyro
from rich.console import Console

from experiments.command_line import Place, command_line, parse, run
from experiments.presets import PRESETS, PresetName, settle
from rnn_jax.data import dataset as datasets
from rnn_jax.data.dataset import Dataset
from rnn_jax.errors import UserError
from rnn_jax.models import summarize
from rnn_jax.models.functional import ModelParams
from rnn_jax.settings import check, to_flat
from rnn_jax.training.compilation import keep_compiled_programs
from rnn_jax.training.config import Config
from rnn_jax.training.hosts import end_together, is_first, join
from rnn_jax.training.interruption import InterruptedRunError
from rnn_jax.training.loop import Run
from rnn_jax.training.parallel import set_up_devices
from rnn_jax.training.run_directory import RunDirectory
from rnn_jax.training.weights import best_weights


@dataclass(frozen=True)
class Options:
    """Trains a recurrent network on the sentiment of film reviews, and evaluates it on the test split.

    The same command again goes on where it was stopped, or reports a run that has finished.
    """

    workdir: Place
    """Directory of the run: settings, metrics, checkpoints, result."""
    config: Config
    preset: PresetName = "lstm"
    """Settings to start from; the options below change them. Synthetic reviews get some of their own."""
    init_from: Place | None = None
    """Start a new run from the best weights of the run in this directory."""
    data_dir: Place | None = None
    """TFDS directory; by default $TFDS_DATA_DIR, or ~/tensorflow_datasets."""
    cache_dir: Place | None = None
    """Where the encoded dataset is kept; by default beside the TFDS data."""
    num_devices: int | None = None
    """Devices of this host to use; by default all that can share a batch evenly, on a CPU one a core."""
    distributed: bool = False
    """Train together with other processes: find them with jax.distributed.initialize()."""
    log_every: int = 50
    """Steps between two records in metrics.jsonl."""
    save_every: int = 500
    """Steps between two checkpoints within an epoch; every epoch ends with one besides."""
    test: bool = True
    """Read the test split at the end; --no-test while searching for settings, so that it cannot mislead."""
    dry_run: bool = False
    """Print the settings, the model summary and the plan, and stop; nothing is written."""


def read_options() -> Options:
    """The command line, with the preset's settings as defaults."""
    finder = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    finder.add_argument("--preset", nargs="?")  # without a name, tyro complains below
    preset = finder.parse_known_args()[0].preset
    default = Options(workdir=tyro.MISSING, config=PRESETS.get(preset or "", PRESETS["lstm"]))
    options = parse(Options, default)
    for name in ("log_every", "save_every"):
        if getattr(options, name) < 1:
            raise UserError(f"--{name.replace('_', '-')} {getattr(options, name)}: must be above 0")
    check(options.config)
    return options


def weights_of(path: str, config: Config, data: Dataset) -> ModelParams:
    """The best weights of another run, which must be of the same network and know the same words."""
    directory = RunDirectory(path)
    other = directory.read_config()
    shapes = (
        *("vocabulary_size", "embedding_size", "pair_buckets", "log_count_ratios", "network", "hidden_size"),
        *("cell", "num_layers", "bidirectional", "dense", "pooling"),
    )
    theirs, mine = to_flat(other), to_flat(config)
    differing = [f"{n} {theirs[n]}" for n in shapes if theirs[n] != mine[n]]
    if differing:
        raise UserError(f"--init-from {path} is another network ({', '.join(differing)}): use its settings")
    if other.text.refit and not config.text.refit:
        raise UserError(f"--init-from {path} has been trained on the validation reviews: use --refit, too")
    if directory.read_vocabulary().words != data.vocabulary.words:
        raise UserError(f"--init-from {path} knows other words: it was trained on other reviews")
    return best_weights(directory)


def show_plan(run: Run, console: Console) -> None:
    """What would be trained, on what, and in how many steps."""
    config, training, data = run.config, run.config.training, run.data
    example = data.vocabulary.decode(data.train.sequences[0][:24])
    console.print(
        f"{summarize(config.make_model(), config.text.max_length)}\n"
        f"{data.name} reviews: {len(data.train):,} to train on, {len(data.validation):,} to validate, "
        f"{len(data.test):,} to test; the first, as the network reads it:\n"
        f"    {example} …\n"
        f"{training.epochs} epochs of {run.epoch_steps} steps, {training.batch_size} reviews a step "
        f"on {run.num_devices} {'device' if run.num_devices == 1 else 'devices'}, "
        f"padded to {', '.join(map(str, run.boundaries))} tokens",
        highlight=False,
        markup=False,
        soft_wrap=True,
    )


def first_answer(run: Run) -> str:
    """The first test review decoded back to words, its label, and what the network makes of it."""
    if run.test_logits is None:
        return ""
    tokens, names = run.data.test.sequences[0], ("negative", "positive")
    positive = 1 / (1 + np.exp(-float(run.test_logits[0])))
    return (
        f"The first test review, decoded: {run.data.vocabulary.decode(tokens[:24])} …\n"
        f"    it is {names[run.data.test.labels[0]]}, and the network says "
        f"{names[int(positive > 0.5)]}, {max(positive, 1 - positive):.1%}\n"
    )


def report(result: dict[str, Any], workdir: str, console: Console, answer: str = "") -> None:
    """What came out, an answer, and how to use it."""
    near = os.path.relpath(sys.executable)  # as one would type it
    python = near if near.startswith(".venv") else "python"
    network = result["cell"] if result["network"] == "recurrent" else result["network"]
    tested = "test split not read"
    if result["test_examples"]:
        tested = f"test accuracy {result['test_accuracy']:.2%} on {result['test_examples']:,} reviews"
    chosen = f"the last of {result['epochs_run']} epochs"
    if result["validation_accuracy"] is not None:
        chosen = (
            f"validation {result['validation_accuracy']:.2%}, "
            f"best of {result['epochs_run']} epochs: {result['best_epoch']}"
        )
    console.print(
        f"{result['dataset']} reviews, {network}: {tested} ({chosen}) · "
        f"{result['train_seconds']:.0f} s of training · {result['examples_per_second']:,.0f} reviews/s\n"
        f"{answer}"
        "Classify a review of your own:\n"
        f"    {python} -m experiments.predict "
        f'--workdir {shlex.quote(workdir)} "I expected little, and got a wonderful film."',
        highlight=False,
        markup=False,
        soft_wrap=True,
    )


def report_finished(
    options: Options, directory: RunDirectory, dataset: Literal["imdb", "synthetic"], console: Console
) -> bool:
    """Reports a run that has finished; False for others, and where the test split is still to be read."""
    config = settle(options.config, options.preset, dataset)
    directory.check_usable(config)
    result = directory.finished(config)
    if result is None or (options.test and result["test_accuracy"] is None):
        return False
    console.print(f"{options.workdir} has finished already", highlight=False)
    report(result, options.workdir, console)
    return True


def main() -> int:
    """Finds the other processes, if any, and trains with them."""
    options = read_options()
    keep_compiled_programs()
    if options.distributed:
        join()
    with end_together():
        return train(options)


def train(options: Options) -> int:
    """Trains in the directory, or reports what was trained there."""
    num_devices = set_up_devices(options.num_devices, options.config.training.batch_size)
    console = Console(quiet=not is_first())
    directory = RunDirectory(options.workdir)
    asked = options.config.text.dataset
    if asked != "auto" and report_finished(options, directory, asked, console):
        return 0  # without loading the reviews
    start = time.perf_counter()
    data = datasets.load(options.config.text, options.data_dir, options.cache_dir)
    data_seconds = time.perf_counter() - start
    if report_finished(options, directory, data.name, console):
        return 0
    config = settle(options.config, options.preset, data.name)
    this = Run(
        config,
        data,
        directory,
        num_devices=num_devices,
        log_every=options.log_every,
        save_every=options.save_every,
        test=options.test,
        data_seconds=data_seconds,
        console=console,
    )
    if options.dry_run:
        for name, value in to_flat(config).items():
            console.print(f"{name:18} {value}", highlight=False)
    show_plan(this, console)
    if options.dry_run:
        return 0
    weights = weights_of(options.init_from, config, data) if options.init_from else None
    command = command_line("imdb_sentiment")
    try:
        result = this.train(command, weights)
        report(result, options.workdir, console, first_answer(this))
    except InterruptedRunError as interruption:
        console.print(f"{interruption}; the same command goes on from there", highlight=False)
        return interruption.exit_code
    return 0


if __name__ == "__main__":
    run(main)
