"""Trials of a search, or of the ablation, as they lie in files of records: no test figures."""

from collections.abc import Sequence
from math import inf
from pathlib import Path
from statistics import mean
from typing import Any, NamedTuple

from rnn_jax.reporting.records import Record, read_records
from rnn_jax.reporting.runs import require, seconds_of
from rnn_jax.reporting.tables import markdown, mean_and_deviation

RESULT_FIELDS = ("seed", "test_examples", "best_epoch", "train_seconds")
HIGHER = {"accuracy": True, "mse": False, "loss": False, "perplexity": False}  # figures that choose


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
    def figure(self) -> str:
        """The name of the figure of the validation split that counts."""
        return next(name for name in HIGHER if f"validation_{name}" in self.result)

    @property
    def value(self) -> float:
        """That figure."""
        return self.result[f"validation_{self.figure}"]

    @property
    def score(self) -> float:
        """The same, so that more is better."""
        return self.value if HIGHER[self.figure] else -self.value

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
    if not any(f"validation_{name}" in record.result for name in HIGHER):
        raise ValueError("it lacks a figure of the validation split")
    if record.result["test_examples"]:
        raise ValueError("a trial that has read the test split: --no-test was left out")


def finalists(trials: Sequence[Trial], seeds: Sequence[int], count: int, seconds: float = inf) -> list[str]:
    """The settings with the best mean on the validation split, best first.

    All seeds are needed, and none may have taken longer than so many seconds.
    """
    slow = {trial.name for trial in trials if trial.seed in seeds and trial.seconds > seconds}
    means = {
        name: mean(scores.values())
        for name, scores in _scores(trials, seeds).items()
        if len(scores) == len(seeds) and name not in slow
    }
    return sorted(means, key=lambda name: -means[name])[:count]


def search_table(trials: Sequence[Trial], rounds: Sequence[Sequence[int]]) -> str:
    """One line a setting, the best of the last round first: what varied, and each round's figure.

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
    found = [_scores(trials, seeds) for seeds in rounds]
    worst = min(trial.score for trial in trials) - 1

    def rank(name: str) -> list[float]:
        return [-mean(scores.get(name, {}).values() or (worst,)) for scores in reversed(found)]

    figure = trials[0].figure
    unit, factor = ("%", 100) if figure == "accuracy" else (figure, 1 if HIGHER[figure] else -1)
    titles = [
        f"validation {unit}, seed{'s' * (len(seeds) > 1)} {', '.join(map(str, seeds))}" for seeds in rounds
    ]
    lines = [["settings", *varied, *titles]]
    for name in sorted(configs, key=rank):
        values = [[factor * score for score in of.get(name, {}).values()] for of in found]
        shown = [mean_and_deviation(each, 2 if factor == 100 else 4) for each in values]
        lines.append([name, *(str(configs[name][setting]) for setting in varied), *shown])
    return markdown(lines)


def _scores(trials: Sequence[Trial], seeds: Sequence[int]) -> dict[str, dict[int, float]]:
    """The score of each setting, by seed."""
    found: dict[str, dict[int, float]] = {}
    for trial in trials:
        if trial.seed in seeds:
            found.setdefault(trial.name, {})[trial.seed] = trial.score
    return found
