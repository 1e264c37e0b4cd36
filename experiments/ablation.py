"""What each ingredient of the most accurate network gives: trained without it, judged on validation reviews.

A run trains in `runs/ablation/NETWORK/seed-N`, never reads the test split, and is then recorded: a line of
`results/ablation/NETWORK.jsonl`. What is recorded is not run again, and a run that was stopped goes on.
`python -m experiments.make_tables` then makes the table.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from experiments.command_line import Place, parse, run
from experiments.recorded_runs import RecordedRun, run_missing

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
    runs: Place = "runs/ablation"
    """Folder of the runs' directories."""
    dry_run: bool = False
    """Print the commands instead of running them."""


def file_name(network: str) -> str:
    """A network's name for files: no capitals, no blanks, no signs but `_`."""
    return re.sub("[^a-z0-9]+", "_", network.lower().replace(",", ""))


def runs_of(options: Options) -> list[RecordedRun]:
    """All runs, recorded or not: one seed after the other, so that a part of them already compares all."""
    return [
        RecordedRun(
            file=Path(options.records) / f"{file_name(network)}.jsonl",
            name=network,
            seed=seed,
            script=f"imdb_sentiment --preset best --no-test --log-every 1000 {change} --seed {seed}",
            workdir=Path(options.runs) / file_name(network) / f"seed-{seed}",
        )
        for seed in options.seeds
        for network, change in ABLATIONS.items()
    ]


def main() -> int:
    """Runs what is missing."""
    options = parse(Options)
    runs = runs_of(options)
    if options.dry_run:
        print(*(each.command for each in runs), sep="\n")
        return 0
    return run_missing(runs)


if __name__ == "__main__":
    run(main)
