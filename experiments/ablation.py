"""What each ingredient of a network gives: trained without it, judged on validation reviews.

The networks are `best`, the most accurate one that labelled reviews alone have given, and `semi_supervised`,
which starts from a language model. A run trains in `runs/ablation`, never reads the test split, and is then
recorded: a line of a file in `results/ablation`, or in its folder `semi_supervised`. What is recorded is
not run again, and a run that was stopped goes on. `python -m experiments.make_tables` then makes the tables.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

from experiments import reproduce
from experiments.command_line import Place, parse, run
from experiments.presets import LABELLED_ALONE
from experiments.recorded_runs import RecordedRun, commands, run_missing

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

# The same for what starts from a language model. Without one, word vectors are drawn, which are smaller, and
# the adversarial radius, in their units, is that of `best`.
SEMI_SUPERVISED: dict[str, str] = {
    WHOLE: "",
    "no language model": "--virtual-adversarial 5",
    "no virtual adversarial training": "--virtual-adversarial 0 --no-unlabelled",
    "adversarial training of labelled reviews": LABELLED_ALONE,
    "no log-count ratios": "--log-count-ratios 0",
    "forward alone": "--no-bidirectional",
    "half the learning rate for what was taken": "--pretrained-rate 0.5",
    "frozen for an epoch": "--freeze-epochs 1",
}
DRAWN = "no language model"  # which starts from drawn weights


class Ablation(NamedTuple):
    """What is left out of a preset, and where the records lie, below the folder of all."""

    networks: dict[str, str]
    folder: str


OF = {"best": Ablation(ABLATIONS, "."), "semi_supervised": Ablation(SEMI_SUPERVISED, "semi_supervised")}
SEEDS = (1, 2, 3)


@dataclass(frozen=True)
class Options:
    """Trains a network without one ingredient at a time, and never reads the test split."""

    preset: Literal["best", "semi_supervised"] = "best"
    """The network."""
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
    networks, folder = OF[options.preset]
    row = reproduce.ROWS[options.preset].needs
    model = reproduce.run_of(reproduce.Options(), row, 0) if row else None
    return [
        RecordedRun(
            file=Path(options.records) / folder / f"{file_name(network)}.jsonl",
            name=network,
            seed=seed,
            script=f"imdb_sentiment --preset {options.preset} --no-test --log-every 1000 {change} "
            f"--seed {seed}",
            workdir=Path(options.runs) / folder / file_name(network) / f"seed-{seed}",
            needs=None if network == DRAWN else model,
        )
        for seed in options.seeds
        for network, change in networks.items()
    ]


def main() -> int:
    """Runs what is missing."""
    options = parse(Options)
    runs = runs_of(options)
    if options.dry_run:
        print(*commands(runs), sep="\n")
        return 0
    return run_missing(runs)


if __name__ == "__main__":
    run(main)
