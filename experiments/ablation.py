"""What each ingredient of the most accurate network gives: trained without it, judged on validation reviews.

Each run keeps its records in `results/ablation/NAME/seed-N`, and never reads the test split. A finished run
is not run again, and one that was stopped goes on. `python -m experiments.make_tables` then makes the table.
"""

from dataclasses import dataclass
from pathlib import Path
from shlex import quote

from experiments.command_line import Place, parse, run, run_all

WHOLE = "the whole network"

# What is left out, and how.
ABLATIONS: dict[str, str] = {
    WHOLE: "",
    "no recurrence": "--network bag --cell lstm --no-bidirectional --pooling max",
    "no log-count ratios": "--log-count-ratios 0",
    "ratios of single words": "--log-count-ratios 1",
    "no ratios across a gap": "--log-count-ratios 3",
    "no adversarial training": "--adversarial 0",
    "one direction": "--no-bidirectional",
    "the maximum alone": "--pooling max",
    "the last state alone": "--pooling last",
    "no average of weights": "--average-decay 0",
    "no dropout": "--word-dropout 0 --embedding-dropout 0 --dropout 0",
    "the last 300 words": "--max-length 300",
    "10,000 words": "--vocabulary-size 10000",
    "minGRU": "--cell mingru",
}
SEEDS = (1, 2, 3)


@dataclass(frozen=True)
class Options:
    """Trains the most accurate network without one ingredient at a time, and never reads the test split."""

    seeds: tuple[int, ...] = SEEDS
    """A run of each network with each."""
    records: Place = "results/ablation"
    """Folder of the records."""
    dry_run: bool = False
    """Print the commands instead of running them."""


def commands(options: Options) -> list[str]:
    """The command of every run: one seed after the other, so that a part of them already compares all."""
    folder = Path(options.records)
    return [
        "python -m experiments.imdb_sentiment --preset best --dataset imdb --no-test --log-every 1000 "
        f"{change} --seed {seed} --workdir {quote(str(folder / name.replace(' ', '_') / f'seed-{seed}'))}"
        for seed in options.seeds
        for name, change in ABLATIONS.items()
    ]


def main() -> int:
    """Runs what is missing."""
    options = parse(Options)
    lines = commands(options)
    if options.dry_run:
        print(*lines, sep="\n")
        return 0
    return run_all(lines)


if __name__ == "__main__":
    run(main)
