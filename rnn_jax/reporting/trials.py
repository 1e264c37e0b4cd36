"""Trials of a search for settings, as they lie in `results/search/NAME/seed-N`: never with a test figure."""

from collections.abc import Sequence
from pathlib import Path
from statistics import mean
from typing import Any, NamedTuple

from rnn_jax.errors import UserError
from rnn_jax.reporting.runs import read_record

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


def finalists(trials: Sequence[Trial], seeds: Sequence[int], count: int) -> list[str]:
    """The settings with the highest mean validation accuracy, best first; all seeds are needed."""
    found: dict[str, dict[int, float]] = {}
    for trial in trials:
        found.setdefault(trial.name, {})[trial.seed] = trial.accuracy
    means = {
        name: mean(accuracies[seed] for seed in seeds)
        for name, accuracies in found.items()
        if accuracies.keys() >= set(seeds)
    }
    return sorted(means, key=lambda name: -means[name])[:count]


def search_table(trials: Sequence[Trial]) -> str:
    """One line a setting, best first: what varied, the validation accuracy of each seed, and seconds."""
    names = list(dict.fromkeys(trial.name for trial in trials))
    configs = {trial.name: trial.config for trial in trials}
    first = configs[names[0]]
    varied = [
        name
        for name in first
        if name != "seed" and any(config[name] != first[name] for config in configs.values())
    ]
    seeds = sorted({trial.seed for trial in trials})
    found = {(trial.name, trial.seed): trial.accuracy for trial in trials}
    head = ["settings", *varied, *(f"validation %, seed {seed}" for seed in seeds), "mean of the others"]
    lines = [head, ["---"] * len(head)]

    def others(name: str) -> list[float]:
        return [100 * found[name, seed] for seed in seeds[1:] if (name, seed) in found]

    order = sorted(
        names, key=lambda n: (-mean(others(n)) if others(n) else 0.0, -found.get((n, seeds[0]), 0.0))
    )
    for name in order:
        accuracies = [f"{100 * found[name, s]:.2f}" if (name, s) in found else "" for s in seeds]
        settings = [str(configs[name][setting]) for setting in varied]
        lines.append([name, *settings, *accuracies, f"{mean(others(name)):.2f}" if others(name) else ""])
    return "".join("| " + " | ".join(line) + " |\n" for line in lines)
