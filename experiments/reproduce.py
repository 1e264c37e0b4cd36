"""Runs the rows of the results table that are missing, one run after the other.

A row is a network, run with several seeds; each run keeps its records in `results/raw/PLATFORM/ROW/seed-N`. A
run that has finished is not run again, and one that was stopped goes on, on any number of devices, so that
this script may be stopped and started at will. `python -m experiments.make_tables` then makes the tables and
plots.

With --check, nothing is recorded: the first recorded run of each row is run again elsewhere, and its digits
are compared.
"""

import tempfile
from dataclasses import dataclass
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias

import jax
from rich.console import Console
from rich.table import Table

from experiments.command_line import Place, parse, run, run_all
from experiments.presets import PRESETS
from rnn_jax.errors import UserError
from rnn_jax.reporting.runs import Run, load_runs
from rnn_jax.training.run_directory import TIMES

SEEDS = (0, 1, 2, 3, 4)


class Recipe(NamedTuple):
    """How a row is run."""

    command: str  # without data set, seed and directory
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
    dry_run: bool = False
    """Print the commands instead of running them."""


def commands(options: Options) -> list[str]:
    """The command of every run, those that have finished included."""
    platform = Path(options.raw) / jax.default_backend()
    return [
        _command(row, seed, options.dataset, platform / row / f"seed-{seed}")
        for row in options.row
        for seed in ROWS[row].seeds
    ]


def _command(row: str, seed: int, dataset: str, workdir: Path) -> str:
    script = ROWS[row].command.format(seed=seed)
    return f"python -m experiments.{script} --dataset {dataset} --workdir {quote(str(workdir))}"


def show_rows(options: Options, console: Console) -> None:
    """Prints each row with the seeds that are recorded and those that are missing."""
    folder = Path(options.raw) / jax.default_backend()
    table = Table("row", "recorded seeds", "missing seeds")
    for row in options.row:
        seeds = {seed: (folder / row / f"seed-{seed}" / "result.json").exists() for seed in ROWS[row].seeds}
        table.add_row(
            row,
            *(", ".join(str(s) for s, done in seeds.items() if done is wanted) for wanted in (True, False)),
        )
    console.print(table)


def check(options: Options, console: Console) -> int:
    """Runs one recorded run of each row again, and compares: 0 where all digits are the same, else 1.

    Raises:
        UserError: if nothing of these rows is recorded.
    """
    platform = jax.default_backend()
    place = (platform, options.dataset)
    runs = [run for run in load_runs(Path(options.raw)) if (run.platform, run.result["dataset"]) == place]
    recorded = {run.preset: run for run in reversed(runs)}  # the first of each row
    if not recorded.keys() & set(options.row):
        names = ", ".join(options.row)
        raise UserError(f"{options.raw} has no run of {names} on {platform} to compare with: run one first")
    code = 0
    for row in (row for row in options.row if row in recorded):
        first = recorded[row]
        with tempfile.TemporaryDirectory() as folder:
            again = Path(folder) / platform / row / f"seed-{first.result['seed']}"
            line = _command(row, first.result["seed"], options.dataset, again)
            if first.epochs:  # sums depend on how many devices make them
                line += f" --num-devices {first.result['hardware']['num_devices']}"
            if failed := run_all([line]):
                return failed
            (second,) = load_runs(Path(folder))
        differing = differences(first, second)
        code = code or int(bool(differing))
        what = "; ".join(differing) or f"the same digits, test accuracy {first.result['test_accuracy']:.2%}"
        console.print(f"{row}, seed {first.result['seed']}: {what}", soft_wrap=True, highlight=False)
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
    return f"{versions} on {result['hardware']['num_devices']} × {result['hardware']['device']}"


def main() -> int:
    """Runs every command in a process of its own, and stops at the first that fails; lists, or checks."""
    options = parse(Options)
    console = Console()
    if options.list:
        show_rows(options, console)
        return 0
    if options.dry_run:
        print(*commands(options), sep="\n")
        return 0
    return check(options, console) if options.check else run_all(commands(options))


if __name__ == "__main__":
    run(main)
