"""Trials of a search, or of the ablation, as they lie in files of records: no test figures."""

from collections.abc import Sequence
from math import inf
from pathlib import Path
from statistics import mean
from typing import Any, NamedTuple

from rnn_jax.reporting.records import Record, read_records
from rnn_jax.reporting.runs import require, seconds_of
from rnn_jax.reporting.tables import markdown, mean_and_deviation

RESULT_FIELDS = ("seed", "validation_accuracy", "test_accuracy", "best_epoch", "train_seconds")


class Trial(NamedTuple):
    """One run of a search."""

    name: str
    config: dict[str, Any]
    result: dict[str, Any]

    @property
    def seed(self) -> int:
        """The seed it was run with."""
        return self.result["seed"]

    @property
    def accuracy(self) -> float:
        """Its validation accuracy."""
        return self.result["validation_accuracy"]

    @property
    def seconds(self) -> float:
        """How long it took; see `seconds_of`."""
        return seconds_of(self.result)


def load_trials(*files: Path) -> list[Trial]:
    """Reads the trials of some files of records.

    Raises:
        UserError: if a line cannot be read, lacks a field, or is of a trial that read the test split.
    """
    records = [record for file in files for record in read_records(file, _check)]
    return [Trial(record.name, record.config, record.result) for record in records]


def _check(record: Record) -> None:
    require(record.result, RESULT_FIELDS)
    if record.result["test_accuracy"] is not None:
        raise ValueError("a trial that has read the test split: --no-test was left out")


def finalists(trials: Sequence[Trial], seeds: Sequence[int], count: int, seconds: float = inf) -> list[str]:
    """The settings with the highest mean validation accuracy, best first.

    All seeds are needed, and none may have taken longer than so many seconds.
    """
    slow = {trial.name for trial in trials if trial.seed in seeds and trial.seconds > seconds}
    means = {
        name: mean(accuracies.values())
        for name, accuracies in _accuracies(trials, seeds).items()
        if len(accuracies) == len(seeds) and name not in slow
    }
    return sorted(means, key=lambda name: -means[name])[:count]


def search_table(trials: Sequence[Trial], rounds: Sequence[Sequence[int]]) -> str:
    """One line a setting, the best of the last round first: what varied, and each round's accuracy.

    Args:
        trials: the trials.
        rounds: the seeds of each round.
    """
    configs = {trial.name: trial.config for trial in trials}
    first = next(iter(configs.values()))
    varied = [
        setting
        for setting in first
        if setting != "seed" and any(config[setting] != first[setting] for config in configs.values())
    ]
    found = [_accuracies(trials, seeds) for seeds in rounds]

    def rank(name: str) -> list[float]:
        return [-mean(accuracies.get(name, {}).values() or (0,)) for accuracies in reversed(found)]

    titles = [f"validation %, seed{'s' * (len(seeds) > 1)} {', '.join(map(str, seeds))}" for seeds in rounds]
    lines = [["settings", *varied, *titles]]
    for name in sorted(configs, key=rank):
        rates = [mean_and_deviation([100 * a for a in of.get(name, {}).values()]) for of in found]
        lines.append([name, *(str(configs[name][setting]) for setting in varied), *rates])
    return markdown(lines)


def _accuracies(trials: Sequence[Trial], seeds: Sequence[int]) -> dict[str, dict[int, float]]:
    """The accuracy of each setting, by seed."""
    found: dict[str, dict[int, float]] = {}
    for trial in trials:
        if trial.seed in seeds:
            found.setdefault(trial.name, {})[trial.seed] = trial.accuracy
    return found
