"""Recorded runs, as they lie in `results/raw/PLATFORM/PRESET.jsonl`, and the rows they make."""

from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from statistics import mean
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rnn_jax.errors import UserError
from rnn_jax.reporting.records import Record, read_records
from rnn_jax.settings import to_flat
from rnn_jax.tasks.text_classification import RECIPE

FIRST = "introduction"  # the row that all others are read against

# What tables and plots read. A record without them was cut short, or comes from another version.
CONFIG_FIELDS = ("vocabulary_size", "max_length", "truncate")
EPOCH_FIELDS = ("train_loss", "train_accuracy", "validation_loss", "validation_accuracy")
RESULT_FIELDS = (
    "dataset", "seed", "parameters", "epochs_run", "best_epoch", "validation_accuracy", "test_accuracy",
    "train_seconds", "examples_per_second", "command", "commit", "versions", "hardware",
)  # fmt: skip


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
        """The network, and what it read where that is not IMDb."""
        dataset = self.runs[0].result["dataset"]
        return self.preset if dataset == "imdb" else f"{self.preset} ({dataset} reviews)"

    def values(self, name: str) -> list[Any]:
        """A field of the result of every run."""
        return [run.result[name] for run in self.runs]

    @property
    def correct(self) -> NDArray[np.bool_] | None:
        """Which test reviews were answered right, by each run: `[runs, N]`; None where it is not recorded."""
        answers = [run.correct for run in self.runs if run.correct is not None]
        return np.stack(answers) if len(answers) == len(self.runs) else None


def load_runs(raw: Path) -> list[Run]:
    """Reads all recorded runs below a folder: by platform, preset and dataset, then by seed.

    Raises:
        UserError: if a line cannot be read or lacks a field, naming it.
    """
    runs = [
        Run(file.parent.name, *record)
        for file in sorted(raw.glob("*/*.jsonl"))
        for record in read_records(file, _check)
    ]
    return sorted(runs, key=lambda run: (run.row, run.result["seed"]))


def _check(record: Record) -> None:
    """Raises ValueError unless a record holds what tables and plots read, and does not contradict itself."""
    result, correct = record.result, record.correct
    require(record.config, CONFIG_FIELDS)
    require(result, RESULT_FIELDS)
    epochs = [line for line in record.metrics if line["kind"] == "epoch"]
    for epoch in epochs:
        require(epoch, EPOCH_FIELDS)
    if result["test_accuracy"] is None:
        raise ValueError("a trial, run with --no-test")
    if result["epochs_run"] and not 1 <= result["best_epoch"] <= len(epochs):  # a baseline has no epochs
        raise ValueError(f"the log ends before epoch {result['best_epoch']}, the best")
    if correct is not None and abs(correct.mean() - result["test_accuracy"]) > 1e-6:
        raise ValueError(f"{correct.mean():.4%} are right, and not {result['test_accuracy']:.4%}")


def seconds_of(result: dict[str, Any]) -> float:
    """How long a run took until it was trained, the counting of n-grams included where it was recorded."""
    return result["train_seconds"] + result.get("data_seconds", 0)


def require(record: dict[str, Any], fields: Sequence[str]) -> None:
    """Raises ValueError, naming the fields that a record lacks."""
    if missing := [name for name in fields if name not in record]:
        raise ValueError(f"it lacks {', '.join(missing)}")


def group_rows(runs: Sequence[Run]) -> list[Row]:
    """Groups runs into rows, by platform, then by network: `FIRST`, then the weakest mean test accuracy.

    Raises:
        UserError: if runs of one row differ in more than their seeds, naming the setting, or share a seed.
    """
    groups = groupby(sorted(runs, key=lambda run: run.row), key=lambda run: run.row)
    rows = [Row(platform, preset, list(members)) for (platform, preset, _), members in groups]
    for row in rows:
        _check_settings(row)
    return sorted(
        rows, key=lambda row: (row.platform, row.preset != FIRST, mean(row.values("test_accuracy")))
    )


def _check_settings(row: Row) -> None:
    where = f"the runs of {row.platform}/{row.preset}"
    defaults = {"task": RECIPE.name, **to_flat(RECIPE.settings)}  # of settings that are younger than a record
    first = defaults | row.runs[0].config
    for config in (defaults | run.config for run in row.runs[1:]):
        differing = {n for n in first.keys() | config.keys() if first.get(n) != config.get(n)} - {"seed"}
        if differing:
            raise UserError(
                f"{where} differ in {', '.join(sorted(differing))}: record them again with one setting"
            )
    seeds = row.values("seed")
    if len(set(seeds)) < len(seeds):  # a copy would count twice, and narrow the deviation
        raise UserError(
            f"{where} have seeds {', '.join(map(str, seeds))}: delete the one that is there twice"
        )
