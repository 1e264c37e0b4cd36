"""The table of an ablation: what a network loses without one of its ingredients."""

from collections.abc import Sequence
from statistics import mean

from rnn_jax.reporting.tables import markdown, mean_and_deviation
from rnn_jax.reporting.trials import Trial


def ablation_table(trials: Sequence[Trial], whole: str) -> str:
    """A line a network: its validation accuracy, and how far it is from the whole one's, seed by seed.

    Args:
        trials: runs of all networks; the name of each says what is left out.
        whole: the name of the network that lacks nothing.
    """
    accuracies: dict[str, dict[int, float]] = {}
    for trial in trials:
        accuracies.setdefault(trial.name, {})[trial.seed] = 100 * trial.value
    reference = accuracies.get(whole, {})
    lines = [["network", "validation %", "difference", "seeds"]]
    for name in sorted(accuracies, key=lambda name: (name != whole, mean(accuracies[name].values()))):
        own = accuracies[name]
        shared = [own[seed] - reference[seed] for seed in sorted(own.keys() & reference.keys())]
        difference = "–" if name == whole or not shared else _signed(shared)
        lines.append([name, mean_and_deviation(list(own.values())), difference, str(len(own))])
    return markdown(lines)


def _signed(differences: Sequence[float]) -> str:
    return f"{'+' * (mean(differences) > 0)}{mean_and_deviation(differences)}".replace("-", "−")
