"""Trials of a search for settings, as they lie in `results/search/NAME/DRAW/seed-N`: no test figures."""

from collections.abc import Sequence
from math import inf
from pathlib import Path
from statistics import mean
from typing import Any, NamedTuple

from rnn_jax.errors import UserError
from rnn_jax.reporting.runs import read_record, seconds_of
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


def load_trials(folder: Path) -> list[Trial]:
    """Reads all finished trials below a folder.

    Raises:
        UserError: if a file cannot be read or lacks a field, naming it, or if a trial read the test split.
    """
    trials = []
    for path in sorted(folder.glob("*/*/result.json")):
        result = read_record(path, RESULT_FIELDS)
        if result["test_accuracy"] is not None:
            raise UserError(f"{path.parent} has read the test split: delete it and run it with --no-test")
        config = read_record(path.parent / "config.json", ())
        trials.append(Trial(path.parent.parent.name, config, result))
    return trials


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
