"""Recorded runs, as they lie in `results/raw/PLATFORM/PRESET.jsonl`, and the rows they make."""

from collections.abc import Callable, Sequence
from itertools import groupby
from pathlib import Path
from statistics import mean
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rnn_jax.errors import UserError
from rnn_jax.reporting.records import Record, read_records, task_of
from rnn_jax.settings import NEUTRAL, REPEAT, marked, to_flat
from rnn_jax.tasks import (
    TASKS,
    captioning,
    digits,
    forecasting,
    handwriting,
    language_model,
    pen_digits,
    promoters,
    spoken_digits,
    text_classification,
    translation,
)
from rnn_jax.training.recipe import Recipe

FIRST = "introduction"  # the row that all others are read against


class Fields(NamedTuple):
    """What tables and plots read of a record. One without them was cut short, or is of another version."""

    config: tuple[str, ...] = ()
    epoch: tuple[str, ...] = ()
    result: tuple[str, ...] = ()
    tested: tuple[str, ...] = ()  # fields of the result, which are null where the test split was not read


COMMON = (
    "dataset", "seed", "parameters", "epochs_run", "best_epoch", "train_seconds", "examples_per_second",
    "command", "commit", "versions", "hardware",
)  # fmt: skip
FIELDS: dict[str, Fields] = {
    text_classification.NAME: Fields(
        config=("vocabulary_size", "max_length", "truncate"),
        epoch=("train_loss", "train_accuracy", "validation_loss", "validation_accuracy"),
        result=("validation_accuracy",),
        tested=("test_accuracy",),
    ),
    language_model.NAME: Fields(
        config=("num_layers", "hidden_size"),
        epoch=("validation_loss", "elapsed_seconds"),  # the loss in training may be a sampled one
        result=("cell", "tokens", "validation_loss"),
        tested=("test_loss", "test_perplexity", "test_bits_per_character", "test_unknown"),
    ),
}


FIELDS |= {
    recipe.name: Fields(
        config=("network", "cell", "num_layers", "hidden_size", "bidirectional", *of_data),
        epoch=("validation_accuracy",),
        result=("validation_accuracy",),
        tested=("test_accuracy", "test_confusion"),
    )
    for recipe, of_data in (
        (digits.RECIPE, ("order",)),
        (pen_digits.RECIPE, ()),
        (spoken_digits.RECIPE, ("held_out",)),
        (promoters.RECIPE, ("dataset",)),
    )
}


FIELDS[handwriting.NAME] = Fields(
    config=("network", "cell", "num_layers", "hidden_size", "mixtures"),
    epoch=("validation_loss",),
    result=("validation_loss",),
    tested=("test_loss", "test_offset_loss", "test_action_loss", "test_nats_per_drawing"),
)


FIELDS |= {
    name: Fields(
        config=("cell", "num_layers", "hidden_size", "attention"),
        epoch=("validation_perplexity",),
        result=("validation_perplexity",),
        tested=("test_perplexity", "test_bleu", *tested),
    )
    for name, tested in (
        (translation.RECIPE.name, ("test_nearest_bleu",)),
        (captioning.RECIPE.name, ("test_random_bleu", "test_frequent_bleu")),
    )
}


FIELDS[forecasting.NAME] = Fields(
    config=("network", "cell", "num_layers", "hidden_size", "dataset", "horizon"),
    epoch=("validation_mse",),
    result=("validation_mse",),
    tested=("test_mse", "test_mae", "test_coverage", "test_naive_mse", "test_naive_mae", "test_by_step"),
)


class Run(NamedTuple):
    """What a finished run has recorded."""

    platform: str  # cpu, gpu or tpu
    preset: str
    config: dict[str, Any]
    metrics: list[dict[str, Any]]
    result: dict[str, Any]
    correct: NDArray[np.bool_] | None  # [N], which test reviews were answered right; None: not recorded

    @property
    def epochs(self) -> list[dict[str, Any]]:
        """The record of each epoch."""
        return [record for record in self.metrics if record["kind"] == "epoch"]

    @property
    def task(self) -> str:
        """The name of what was learnt."""
        return task_of(self.result)

    @property
    def seconds(self) -> float:
        """How long it took; see `seconds_of`."""
        return seconds_of(self.result)

    @property
    def row(self) -> tuple[str, str, str]:
        """What the runs of one row have in common."""
        return self.platform, self.preset, self.result["dataset"]


class Row(NamedTuple):
    """The runs of one preset on one platform and dataset: the same settings, another seed each."""

    platform: str
    preset: str
    runs: list[Run]

    @property
    def name(self) -> str:
        """The network, and what a classifier read where that is not IMDb."""
        first = self.runs[0]
        others = first.task == text_classification.NAME and first.result["dataset"] != "imdb"
        return f"{self.preset} ({first.result['dataset']} reviews)" if others else self.preset

    def values(self, name: str) -> list[Any]:
        """A field of the result of every run."""
        return [run.result[name] for run in self.runs]

    @property
    def correct(self) -> NDArray[np.bool_] | None:
        """Which test reviews were answered right, by each run: `[runs, N]`; None where it is not recorded."""
        answers = [run.correct for run in self.runs if run.correct is not None]
        return np.stack(answers) if len(answers) == len(self.runs) else None


def load_runs(raw: Path) -> list[Run]:
    """Reads all recorded runs below a folder, of any task: by platform, preset and dataset, then by seed.

    Raises:
        UserError: if a line cannot be read or lacks a field, naming it.
    """
    runs = [run for file in sorted(raw.glob("*/*.jsonl")) for run in read_runs(file, check)]
    return sorted(runs, key=lambda run: (run.row, run.result["seed"]))


def read_runs(file: Path, check: Callable[[Record], Any]) -> list[Run]:
    """The runs of one file, which lies in the folder of their platform; see `read_records`."""
    return [Run(file.parent.name, *record) for record in read_records(file, check)]


def check(record: Record) -> None:
    """Raises ValueError unless a record holds what tables and plots read, and does not contradict itself."""
    result, correct = record.result, record.correct
    require(result, COMMON)
    fields = FIELDS.get(record.task, Fields())
    require(record.config, fields.config)
    require(result, (*fields.result, *fields.tested))
    epochs = [line for line in record.metrics if line["kind"] == "epoch"]
    for epoch in epochs:
        require(epoch, fields.epoch)
    if any(result[name] is None for name in fields.tested):
        raise ValueError("a trial, run with --no-test")
    if result["epochs_run"] and not 1 <= result["best_epoch"] <= len(epochs):  # a baseline has no epochs
        raise ValueError(f"the log ends before epoch {result['best_epoch']}, the best")
    if correct is not None and abs(correct.mean() - result["test_accuracy"]) > 1e-6:
        raise ValueError(f"{correct.mean():.4%} are right, and not {result['test_accuracy']:.4%}")


def seconds_of(result: dict[str, Any]) -> float:
    """How long a run took to train: with the counting of n-grams, and with what it started from."""
    return sum(result.get(name) or 0 for name in ("train_seconds", "data_seconds", "pretraining_seconds"))


def require(record: dict[str, Any], fields: Sequence[str]) -> None:
    """Raises ValueError, naming the fields that a record lacks."""
    if missing := [name for name in fields if name not in record]:
        raise ValueError(f"it lacks {', '.join(missing)}")


def group_rows(runs: Sequence[Run]) -> list[Row]:
    """The rows of text classification, by platform, then by network: `FIRST`, then the weakest mean accuracy.

    Raises:
        UserError: if runs of one row differ in more than their seeds, naming the setting, or share a seed.
    """
    return sorted(
        rows_of(text_classification.NAME, runs),
        key=lambda row: (row.platform, row.preset != FIRST, mean(row.values("test_accuracy"))),
    )


def rows_of(task: str, runs: Sequence[Run]) -> list[Row]:
    """Groups the runs of a task into rows, by platform, preset and dataset; see `group_rows` for errors."""
    own = sorted((run for run in runs if run.task == task), key=lambda run: run.row)
    groups = groupby(own, key=lambda run: run.row)
    rows = [Row(platform, preset, list(members)) for (platform, preset, _), members in groups]
    for row in rows:
        _check_settings(row, TASKS[task])
    return rows


def _check_settings(row: Row, recipe: Recipe) -> None:
    where = f"the runs of {row.platform}/{row.preset}"
    defaults = {"task": recipe.name, **to_flat(recipe.settings)}  # of settings that are younger than a record
    first = defaults | row.runs[0].config
    for config in (defaults | run.config for run in row.runs[1:]):
        differing = {n for n in first.keys() | config.keys() if first.get(n) != config.get(n)}
        differing -= {"seed", *marked(recipe.settings, NEUTRAL, REPEAT)}
        if differing:
            raise UserError(
                f"{where} differ in {', '.join(sorted(differing))}: record them again with one setting"
            )
    seeds = row.values("seed")
    if len(set(seeds)) < len(seeds):  # a copy would count twice, and narrow the deviation
        raise UserError(
            f"{where} have seeds {', '.join(map(str, seeds))}: delete the one that is there twice"
        )
