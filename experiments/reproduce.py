"""Runs the rows of the results table that are missing, one run after the other.

A row is a network, run with several seeds. A run trains in `runs/raw/PLATFORM/ROW/seed-N`, and is then
recorded: a line of `results/raw/PLATFORM/ROW.jsonl`. What is recorded is not run again, and a run that was
stopped goes on, on any number of devices, so that this script may be stopped and started at will. To run
something again, delete its line and its directory. `python -m experiments.make_tables` then makes the tables
and plots.

With --check, nothing is recorded: the first recorded run of each row is run again elsewhere, and its digits
are compared.
"""

import tempfile
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias

import jax
from rich.console import Console
from rich.table import Table

from experiments.command_line import Place, parse, run, run_all
from experiments.presets import PRESETS, settle
from experiments.recorded_runs import RecordedRun, run_missing
from rnn_jax.errors import UserError
from rnn_jax.reporting.records import record_of
from rnn_jax.reporting.runs import Run, load_runs
from rnn_jax.settings import to_flat, with_flat
from rnn_jax.tasks.text_classification import Settings
from rnn_jax.training.run_directory import TIMES, RunDirectory

SEEDS = (0, 1, 2, 3, 4)


class Recipe(NamedTuple):
    """How a row is run."""

    command: str  # without dataset, seed and directory
    seeds: tuple[int, ...] = SEEDS


# The networks beyond the introductory recipe are trained on all reviews once their settings are found, as
# `nb_svm_refit` is.
REFITTED = ("minute", "best")
ROWS: dict[str, Recipe] = {
    preset: Recipe(f"imdb_sentiment --preset {preset}{' --refit' * (preset in REFITTED)} --seed {{seed}}")
    for preset in PRESETS
} | {
    # Nothing in these is random.
    "nb_svm": Recipe("nb_svm", seeds=(0,)),
    "nb_svm_refit": Recipe("nb_svm --refit", seeds=(0,)),
}

if TYPE_CHECKING:
    RowName: TypeAlias = str
else:
    RowName = Literal[tuple(ROWS)]

ORIGIN = ("command", "commit", "versions", "hardware")


@dataclass(frozen=True)
class Options:
    """Runs the rows of the results table that are missing."""

    row: tuple[RowName, ...] = tuple(ROWS)
    """Rows to run; all by default."""
    check: bool = False
    """Run the first recorded run of each row again, and exit with 1 where the digits differ."""
    list: bool = False
    """Say which rows there are, and which of their runs are recorded, and stop."""
    dataset: Literal["imdb", "synthetic"] = "imdb"
    """Reviews to train on."""
    raw: Place = "results/raw"
    """Folder of the records."""
    runs: Place = "runs/raw"
    """Folder of the runs' directories, with their checkpoints."""
    dry_run: bool = False
    """Print the commands instead of running them."""


def runs_of(options: Options) -> list[RecordedRun]:
    """All runs of the rows, recorded or not."""
    platform = jax.default_backend()
    return [
        RecordedRun(
            file=Path(options.raw) / platform / f"{row}.jsonl",
            name=row,
            seed=seed,
            script=ROWS[row].command.format(seed=seed),
            workdir=Path(options.runs) / platform / row / f"seed-{seed}",
            dataset=options.dataset,
        )
        for row in options.row
        for seed in ROWS[row].seeds
    ]


def check_presets(runs: list[RecordedRun]) -> None:
    """Raises UserError if a network is recorded with other settings than its preset has now, naming them."""
    for each in runs:
        if each.name in PRESETS and (record := each.record):
            preset = with_flat(PRESETS[each.name], seed=each.seed, refit=each.name in REFITTED)
            wanted = to_flat(settle(preset, each.name, each.dataset))
            found = to_flat(Settings()) | record.config  # an older record lacks what is off by default
            differing = [f"{n}: {found[n]} against {wanted[n]}" for n in wanted if found[n] != wanted[n]]
            if differing:
                raise UserError(
                    f"{each.file} has seed {each.seed} with other settings ({'; '.join(differing)}): "
                    f"delete its line, and {each.workdir}, to run it again"
                )


def show_rows(runs: list[RecordedRun], console: Console) -> None:
    """Prints each row with the seeds that are recorded and those that are missing."""
    table = Table("row", "recorded seeds", "missing seeds")
    for row, group in groupby(runs, key=lambda each: each.name):
        seeds = {each.seed: each.record is not None for each in group}
        table.add_row(
            row,
            *(", ".join(str(s) for s, done in seeds.items() if done is wanted) for wanted in (True, False)),
        )
    console.print(table)


def check(options: Options, runs: list[RecordedRun], console: Console) -> int:
    """Runs one recorded run of each row again, and compares: 0 where all digits are the same, else 1.

    Raises:
        UserError: if nothing of these rows is recorded.
    """
    platform = jax.default_backend()
    recorded = {
        (run.preset, run.result["seed"]): run
        for run in load_runs(Path(options.raw))
        if (run.platform, run.result["dataset"]) == (platform, options.dataset)
    }
    found = [each for each in runs if (each.name, each.seed) in recorded]
    if not found:
        names = ", ".join(options.row)
        raise UserError(f"{options.raw} has no run of {names} on {platform} to compare with: run one first")
    code = 0
    for row, (each, *_) in groupby(found, key=lambda each: each.name):
        first = recorded[row, each.seed]
        with tempfile.TemporaryDirectory() as folder:
            again = Path(folder) / f"seed-{each.seed}"
            line = each._replace(workdir=again).command
            if first.epochs:  # sums depend on how many devices make them
                line += f" --num-devices {first.result['hardware']['num_devices']}"
            if failed := run_all([line]):
                return failed
            second = Run(platform, *record_of(row, RunDirectory(again)))
        differing = differences(first, second)
        code = code or int(bool(differing))
        what = "; ".join(differing) or f"the same digits, test accuracy {first.result['test_accuracy']:.2%}"
        console.print(f"{row}, seed {each.seed}: {what}", soft_wrap=True, highlight=False)
    return code


def differences(first: Run, second: Run) -> list[str]:
    """What two runs of one command found differently; times and origins do not count."""
    found = sorted(
        f"{name} {first.result[name]} against {second.result[name]}"
        for name in first.result.keys() & second.result.keys() - {*TIMES, *ORIGIN}
        if first.result[name] != second.result[name]
    )
    if first.correct is not None and second.correct is not None:
        unlike_answers = int((first.correct != second.correct).sum())
        found += [f"{unlike_answers} test reviews are answered otherwise"] * (unlike_answers > 0)
    logs = [[_timeless(epoch) for epoch in run.epochs] for run in (first, second)]
    unlike = [i for i, (one, other) in enumerate(zip(*logs, strict=False), start=1) if one != other]
    if unlike:
        found.append(f"the log differs from epoch {unlike[0]} on")
    if found:
        origins = [_origin(run.result) for run in (first, second)]
        found += [f"recorded with {origins[0]}, run again with {origins[1]}"] * (origins[0] != origins[1])
    return found


def _timeless(record: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in record.items() if name not in TIMES}


def _origin(result: dict[str, Any]) -> str:
    versions = " ".join(f"{name} {version}" for name, version in result["versions"].items())
    hardware = result["hardware"]
    kind = f" ({hardware['processor']})" if hardware.get("processor") else ""
    return f"{versions} on {hardware['num_devices']} × {hardware['device']}{kind}"


def main() -> int:
    """Runs every command in a process of its own, and stops at the first that fails; lists, or checks."""
    options = parse(Options)
    console = Console()
    runs = runs_of(options)
    if options.list:
        show_rows(runs, console)
        return 0
    if options.dry_run:
        print(*(each.command for each in runs), sep="\n")
        return 0
    if options.check:
        return check(options, runs, console)
    check_presets(runs)
    return run_missing(runs)


if __name__ == "__main__":
    run(main)
