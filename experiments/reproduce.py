"""Runs the rows of the results table that are missing, one run after the other.

A row is a preset, run with several seeds; each run keeps its records in
`results/raw/PLATFORM/PRESET/seed-N`. A run that has finished is not run again, and one that was stopped goes
on, so that this script may be stopped and started at will. `python -m experiments.make_tables` then makes
the tables and plots.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import jax
import tyro

from experiments.command_line import parse, run, run_all
from experiments.presets import PRESETS
from rnn_jax.errors import UserError

SEEDS = (0, 1, 2)


@dataclass(frozen=True)
class Options:
    """Runs the rows of the results table that are missing."""

    presets: tyro.conf.Positional[tuple[str, ...]] = tuple(PRESETS)
    """Rows to run; all by default."""
    dataset: Literal["imdb", "synthetic"] = "imdb"
    """Reviews to train on."""
    raw: str = "results/raw"
    """Folder of the records."""
    dry_run: bool = False
    """Print the commands instead of running them."""


def commands(options: Options) -> list[str]:
    """The command of every run, those that have finished included."""
    platform = jax.default_backend()
    return [
        f"python -m experiments.imdb_sentiment --preset {preset} --dataset {options.dataset} --seed {seed} "
        f"--workdir {Path(options.raw) / platform / preset / f'seed-{seed}'}"
        for preset in options.presets
        for seed in SEEDS
    ]


def main() -> int:
    """Runs every command in a process of its own; stops at the first that fails."""
    options = parse(Options)
    unknown = [preset for preset in options.presets if preset not in PRESETS]
    if unknown:
        raise UserError(f"there is no preset {unknown[0]!r}: choose from {', '.join(PRESETS)}")
    if options.dry_run:
        print(*commands(options), sep="\n")
        return 0
    return run_all(commands(options))


if __name__ == "__main__":
    run(main)
