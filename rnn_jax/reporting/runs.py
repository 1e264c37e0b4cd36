"""Recorded runs, as they lie in `results/raw/PLATFORM/PRESET/seed-N`, and the rows they make."""

import json
from collections.abc import Iterable, Sequence
from itertools import groupby
from pathlib import Path
from statistics import mean
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rnn_jax.errors import UserError

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
    """The runs of one preset on one platform and data set: the same settings, another seed each."""

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
    """Reads all finished runs below a folder: by platform, preset and data set, then by seed.

    Raises:
        UserError: if a file is missing, cannot be read or lacks a field, naming it.
    """
    runs = [_load_run(path.parent, raw) for path in sorted(raw.glob("*/*/*/result.json"))]
    return sorted(runs, key=lambda run: (run.row, run.result["seed"]))


def _load_run(folder: Path, raw: Path) -> Run:
    result = read_record(folder / "result.json", RESULT_FIELDS)
    if result["test_accuracy"] is None:
        raise UserError(f"{folder} is a trial, run with --no-test: move it out of the recorded runs")
    config = read_record(folder / "config.json", CONFIG_FIELDS)
    file = folder / "metrics.jsonl"
    platform, preset, _ = folder.relative_to(raw).parts
    metrics = _read_lines(file) if result["epochs_run"] else []  # a baseline has no epochs
    run = Run(platform, preset, config, metrics, result, _read_correct(folder, result))
    if result["epochs_run"] and not 1 <= result["best_epoch"] <= len(run.epochs):
        missing = ValueError(f"it ends before epoch {result['best_epoch']}, the best")
        raise _unreadable(file, str(file), missing)
    return run


def _read_correct(folder: Path, result: dict[str, Any]) -> NDArray[np.bool_] | None:
    """What `test_correct.txt` says; it must agree with the recorded test accuracy."""
    file = folder / "test_correct.txt"
    if not file.exists():
        return None
    try:
        text = file.read_text(encoding="ascii").strip()
        correct = np.array([{"0": False, "1": True}[answer] for answer in text])
        if abs(correct.mean() - result["test_accuracy"]) > 1e-6:
            raise ValueError(f"{correct.mean():.4%} are right, and not {result['test_accuracy']:.4%}")
    except (OSError, ValueError, KeyError) as error:
        raise _unreadable(file, str(file), error) from error
    return correct


def seconds_of(result: dict[str, Any]) -> float:
    """How long a run took until it was trained, the counting of n-grams included where it was recorded."""
    return result["train_seconds"] + result.get("data_seconds", 0)


def read_record(file: Path, fields: Iterable[str]) -> dict[str, Any]:
    """The JSON object of a file, which must have these fields; raises UserError, naming the file."""
    try:
        return _parse(file.read_text(encoding="utf-8"), fields)
    except (OSError, ValueError) as error:
        raise _unreadable(file, str(file), error) from error


def _read_lines(file: Path) -> list[dict[str, Any]]:
    metrics: list[dict[str, Any]] = []
    place = str(file)
    try:
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), start=1):
            place = f"{file}, line {number}"
            record = _parse(line, ("kind",))
            if record["kind"] == "epoch":
                _require(record, EPOCH_FIELDS)
            metrics.append(record)
    except (OSError, ValueError) as error:
        raise _unreadable(file, place, error) from error
    return metrics


def _parse(text: str, fields: Iterable[str]) -> dict[str, Any]:
    record = json.loads(text)
    if not isinstance(record, dict):
        raise ValueError("not a JSON object")
    _require(record, fields)
    return record


def _require(record: dict[str, Any], fields: Iterable[str]) -> None:
    if missing := [name for name in fields if name not in record]:
        raise ValueError(f"it lacks {', '.join(missing)}")


def _unreadable(file: Path, place: str, error: Exception) -> UserError:
    return UserError(
        f"{place} cannot be read ({error}): restore it, or delete {file.parent} and run it again"
    )


def group_rows(runs: Sequence[Run]) -> list[Row]:
    """Groups runs into rows, by platform, then by network: the weakest mean test accuracy first.

    Raises:
        UserError: if runs of one row differ in more than their seeds, naming the setting, or share a seed.
    """
    groups = groupby(sorted(runs, key=lambda run: run.row), key=lambda run: run.row)
    rows = [Row(platform, preset, list(members)) for (platform, preset, _), members in groups]
    for row in rows:
        _check_settings(row)
    return sorted(rows, key=lambda row: (row.platform, mean(row.values("test_accuracy"))))


def _check_settings(row: Row) -> None:
    where = f"the runs of {row.platform}/{row.preset}"
    first = row.runs[0].config
    for config in (run.config for run in row.runs[1:]):
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
