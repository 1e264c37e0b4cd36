"""Finds settings for the presets by a random search that never reads the test split.

Round one draws settings of the LSTM at random from `SPACE` and trains each once. Round two trains the best of
them, by validation accuracy, with seeds of their own. Chosen is the highest mean validation accuracy of round
two alone, so that what round one owed to luck does not count. What the introductory recipe fixes stays fixed:
10,000 words, the last 500 tokens, one layer of 32, batches of 128.

Each run keeps its records in `results/search/draw-NN/seed-N`. A finished run is not run again, and one
that was stopped goes on. `python -m experiments.make_tables` then makes the table of the search.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from experiments.command_line import parse, run, run_all
from rnn_jax.reporting.trials import finalists, load_trials

SPACE: dict[str, tuple[int | float | str, ...]] = {
    "embedding-size": (32, 64),
    "pooling": ("mean", "max"),
    "word-dropout": (0.0, 0.1, 0.2, 0.3, 0.4),
    "embedding-dropout": (0.0, 0.3, 0.5),
    "dropout": (0.0, 0.3, 0.5),
    "learning-rate": (2e-3, 5e-3, 1e-2),
    "average-decay": (0.0, 0.99, 0.995, 0.998),
    "epochs": (4, 6, 8),
}
DRAWS = 24
FINALISTS = 4
FIRST_SEEDS = (0,)
SECOND_SEEDS = (1, 2, 3)


@dataclass(frozen=True)
class Options:
    """Finds settings for the presets by a random search that never reads the test split."""

    records: str = "results/search"
    """Folder of the records."""
    dry_run: bool = False
    """Print the commands of round one instead of running them."""


def draw_settings() -> dict[str, str]:
    """The name of each draw, and its options. The same on every machine."""
    rng = np.random.default_rng(0)
    return {
        f"draw-{number:02}": " ".join(
            f"--{name} {choices[rng.integers(len(choices))]}" for name, choices in SPACE.items()
        )
        for number in range(DRAWS)
    }


def commands(draws: dict[str, str], seeds: tuple[int, ...], records: str) -> list[str]:
    """The command of every run of one round."""
    return [
        f"python -m experiments.imdb_sentiment --preset lstm --dataset imdb --no-test --log-every 1000 "
        f"{settings} --seed {seed} --workdir {Path(records) / name / f'seed-{seed}'}"
        for name, settings in draws.items()
        for seed in seeds
    ]


def main() -> int:
    """Round one, then round two, then the choice."""
    options = parse(Options)
    draws = draw_settings()
    first = commands(draws, FIRST_SEEDS, options.records)
    if options.dry_run:
        print(*first, sep="\n")
        return 0
    if code := run_all(first):
        return code
    best = finalists(load_trials(Path(options.records)), FIRST_SEEDS, FINALISTS)
    if code := run_all(commands({name: draws[name] for name in best}, SECOND_SEEDS, options.records)):
        return code
    chosen, *_ = finalists(load_trials(Path(options.records)), SECOND_SEEDS, 1)
    print(f"chosen: {chosen} {draws[chosen]}")
    return 0


if __name__ == "__main__":
    run(main)
