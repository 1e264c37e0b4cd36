"""Runs the rows of the results tables that are missing, one run after the other.

A row is a network, a classifier of reviews or a language model, run with one or several seeds. A run trains
in `runs/raw/PLATFORM/ROW/seed-N`, and is then recorded: a line of `results/raw/PLATFORM/ROW.jsonl`. What is
recorded is not run again, and a run that was stopped goes on, on any number of devices, so that this script
may be stopped and started at will. To run something again, delete its line and its directory. A row that
starts from the weights of another has that run first, where its directory does not hold them.
`python -m experiments.make_tables` then makes the tables and plots.

With --check, nothing is recorded: the first recorded run of each row is run again elsewhere, and its digits
are compared.
"""

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias, cast

import jax
from rich.console import Console
from rich.table import Table

from experiments.captioning import PRESETS as CAPTIONS
from experiments.command_line import Place, parse, run, run_all
from experiments.digits import PRESETS as DIGITS
from experiments.forecasting import PRESETS as FORECASTS
from experiments.handwriting import PRESETS as HANDWRITING
from experiments.language_model import PRESETS as TEXTS
from experiments.pen_digits import PRESETS as PEN_DIGITS
from experiments.presets import PRESETS, settle
from experiments.promoters import PRESETS as PROMOTERS
from experiments.recorded_runs import RecordedRun, commands, run_missing, run_needed
from experiments.spoken_digits import PRESETS as SPOKEN
from experiments.translation import PRESETS as TRANSLATIONS
from rnn_jax.errors import UserError
from rnn_jax.reporting.records import record_of
from rnn_jax.reporting.runs import Run, load_runs
from rnn_jax.settings import NEUTRAL, REPEAT, marked, to_flat, with_flat
from rnn_jax.training.run_directory import TIMES, RunDirectory

SEEDS = (0, 1, 2, 3, 4)
Reviews = Literal["imdb", "synthetic"]


class Recipe(NamedTuple):
    """How a row is run.

    Attributes:
        command: without dataset, seed and directory.
        seeds: a run each.
        settings: by the name of the dataset, the seed aside; None for baselines, which have none.
        dataset: what it reads, where that is not the reviews that are asked for.
        needs: the row from whose first run it starts, which has to be there with its checkpoints.
    """

    command: str
    seeds: tuple[int, ...] = SEEDS
    settings: Callable[[str], Any] | None = None
    dataset: str | None = None
    needs: str | None = None


# The networks beyond the introductory recipe are trained on all reviews once their settings are found, as
# `nb_svm_refit` is.
REFITTED = ("minute", "best")
SEMI_SUPERVISED = {"semi_supervised": "reviews", "semi_supervised_large": "reviews_large"}


# On a CPU, one device uses all cores, and the update of many word vectors, a large part of a step of these
# language models, is made once.
ON_ONE_DEVICE = ("wikitext2", "reviews")
WRITING = ("translation", "captioning")  # scripts, so too
ON_GPUS = ("reviews_large", "semi_supervised_large", "bytes_large")  # minutes there, and days on two cores


def classifier(preset: str, *, refit: bool) -> Recipe:
    """The recipe of a classifier of reviews, with the settings of a preset."""

    def settings(dataset: str) -> Any:
        return settle(with_flat(PRESETS[preset], refit=refit), preset, cast("Reviews", dataset))

    return Recipe(f"imdb_sentiment --preset {preset}{' --refit' * refit} --seed {{seed}}", settings=settings)


def language_model(preset: str) -> Recipe:
    """The recipe of a language model: a run takes long, and there is one."""
    settings = TEXTS[preset]
    text = Path(to_flat(settings)["dataset"]).name
    devices = " --num-devices 1" if preset in ON_ONE_DEVICE else ""
    command = f"language_model --preset {preset} --seed {{seed}}{devices}"
    return Recipe(command, seeds=(0,), settings=lambda _: settings, dataset=text)


def tour(script: str, preset: str, settings: Any, dataset: str) -> Recipe:
    """The recipe of a network of the tour: fewer seeds where a run takes hours, more where they are folds."""
    settings = with_flat(settings, dataset=dataset)
    devices = " --num-devices 1" if script in WRITING else ""
    folds = "".join(f" --{name} {{seed}}" for name in marked(settings, REPEAT))
    seeds = tuple(range(10)) if folds else SEEDS
    if script in WRITING or to_flat(settings).get("order", "rows") != "rows":
        seeds = SEEDS[:3]
    command = f"{script} --preset {preset} --seed {{seed}}{folds}{devices}"
    return Recipe(command, seeds=seeds, settings=lambda _: settings, dataset=dataset)


def started_from(needed: str, recipe: Recipe, seeds: tuple[int, ...]) -> Recipe:
    """The recipe of a network that starts from the weights of another row."""
    return recipe._replace(seeds=seeds, needs=needed)


ROWS: dict[str, Recipe] = {
    **{
        preset: classifier(preset, refit=preset in REFITTED)
        for preset in PRESETS
        if preset not in SEMI_SUPERVISED  # below, behind what they need
    },
    # Nothing in these is random.
    "nb_svm": Recipe("nb_svm", seeds=(0,)),
    "nb_svm_refit": Recipe("nb_svm --refit", seeds=(0,)),
    **{preset: language_model(preset) for preset in TEXTS},
    **{
        f"{script}_{preset}": tour(script, preset, settings, dataset or to_flat(settings)["dataset"])
        for script, presets, dataset in (
            ("digits", DIGITS, "mnist"),
            ("pen_digits", PEN_DIGITS, "pendigits"),
            ("handwriting", HANDWRITING, "omniglot_strokes"),
            ("spoken_digits", SPOKEN, "spoken_digit"),
            ("translation", TRANSLATIONS, "multi30k"),
            ("captioning", CAPTIONS, "flickr8k_small"),
            ("promoters", PROMOTERS, ""),
            ("forecasting", FORECASTS, ""),
        )
        for preset, settings in presets.items()
        if dataset or to_flat(settings)["dataset"] != "auto"  # rows are of one dataset
    },
    **{
        preset: started_from(needed, classifier(preset, refit=True), seeds=SEEDS[:3])
        for preset, needed in SEMI_SUPERVISED.items()
    },
}

if TYPE_CHECKING:
    RowName: TypeAlias = str
else:
    RowName = Literal[tuple(ROWS)]

ORIGIN = ("command", "commit", "versions", "hardware")


@dataclass(frozen=True)
class Options:
    """Runs the rows of the results tables that are missing."""

    row: tuple[RowName, ...] = ()
    """Rows to run; by default all. What takes days on a CPU runs there only if it is named."""
    check: bool = False
    """Run the first recorded run of each row again, and exit with 1 where the digits differ."""
    list: bool = False
    """Say which rows there are, and which of their runs are recorded, and stop."""
    dataset: Reviews = "imdb"
    """Reviews to train classifiers on. Language models read texts of their own: with synthetic reviews, they
    and what starts from them are left out."""
    raw: Place = "results/raw"
    """Folder of the records."""
    runs: Place = "runs/raw"
    """Folder of the runs' directories, with their checkpoints."""
    dry_run: bool = False
    """Print the commands instead of running them."""


def runs_of(options: Options) -> list[RecordedRun]:
    """All runs of the rows, recorded or not.

    Raises:
        UserError: if there are none on synthetic reviews.
    """
    everything = options.list or jax.default_backend() == "gpu"
    asked = options.row or [row for row in ROWS if everything or row not in ON_GPUS]
    rows = [row for row in asked if options.dataset == "imdb" or _reads_reviews_alone(ROWS[row])]
    if not rows:
        raise UserError(f"{', '.join(asked)}: there are no {options.dataset} texts, use --dataset imdb")
    return [run_of(options, row, seed) for row in rows for seed in ROWS[row].seeds]


def _reads_reviews_alone(recipe: Recipe) -> bool:
    return recipe.dataset is None and recipe.needs is None


def run_of(options: Options, row: str, seed: int) -> RecordedRun:
    """The run of a row with one of its seeds."""
    recipe, platform = ROWS[row], jax.default_backend()
    needed = run_of(options, recipe.needs, ROWS[recipe.needs].seeds[0]) if recipe.needs else None
    return RecordedRun(
        file=Path(options.raw) / platform / f"{row}.jsonl",
        name=row,
        seed=seed,
        script=recipe.command.format(seed=seed),
        workdir=Path(options.runs) / platform / row / f"seed-{seed}",
        dataset=recipe.dataset or options.dataset,
        needs=needed,
    )


def check_presets(runs: list[RecordedRun]) -> None:
    """Raises UserError if a network has other settings than its preset has now, naming them.

    So for what is recorded, and for the weights that a run is going to start from.
    """
    for each in runs:
        if record := each.record:
            again = f"delete its line, and {each.workdir}, to run it again"
            _check_preset(each, record.config, f"{each.file} has seed {each.seed}", again)
        elif each.needs and each.needs.has_weights:
            found = RunDirectory(each.needs.workdir).read_settings()
            again = "delete that directory to run it again"
            _check_preset(each.needs, found, f"{each.needs.workdir} holds a run", again)


def _check_preset(run: RecordedRun, config: dict[str, Any], where: str, again: str) -> None:
    make = ROWS[run.name].settings
    if make is None:
        return
    settings = make(run.dataset)
    settings = with_flat(settings, seed=run.seed, **dict.fromkeys(marked(settings, REPEAT), run.seed))
    wanted = to_flat(settings)
    found = to_flat(type(settings)()) | config  # an older run lacks what is off by default
    counts = wanted.keys() - marked(settings, NEUTRAL)
    differing = [
        f"{n}: {found[n]} against {wanted[n]}" for n in wanted if n in counts and found[n] != wanted[n]
    ]
    if differing:
        raise UserError(f"{where} with other settings ({'; '.join(differing)}): {again}")


def show_rows(runs: list[RecordedRun], console: Console) -> None:
    """Prints each row with the seeds that are recorded, those that are missing, and what it needs first."""
    table = Table("row", "recorded seeds", "missing seeds", "needs")
    for row, group in groupby(runs, key=lambda each: each.name):
        own = list(group)
        seeds = {each.seed: each.record is not None for each in own}
        done, missing = (
            ", ".join(str(seed) for seed, recorded in seeds.items() if recorded is wanted)
            for wanted in (True, False)
        )
        table.add_row(row, done, missing, _need(own[0], first=missing != ""))
    console.print(table)


def _need(run: RecordedRun, *, first: bool) -> str:
    """The row whose weights a run needs, and whether that has to be run first."""
    if run.needs is None:
        return ""
    return run.needs.name + ", to be run first" * (first and not run.needs.has_weights)


def check(options: Options, runs: list[RecordedRun], console: Console) -> int:
    """Runs one recorded run of each row again, and compares: 0 where all digits are the same, else 1.

    Raises:
        UserError: if nothing of these rows is recorded.
    """
    platform = jax.default_backend()
    recorded = {
        (run.preset, run.result["dataset"], run.result["seed"]): run
        for run in load_runs(Path(options.raw))
        if run.platform == platform
    }
    found = [each for each in runs if (each.name, each.dataset, each.seed) in recorded]
    if not found:
        names = ", ".join(dict.fromkeys(each.name for each in runs))
        raise UserError(f"{options.raw} has no run of {names} on {platform} to compare with: run one first")
    code = 0
    for row, (each, *_) in groupby(found, key=lambda each: each.name):
        first = recorded[row, each.dataset, each.seed]
        with tempfile.TemporaryDirectory() as folder:
            again = Path(folder) / f"seed-{each.seed}"
            line = each._replace(workdir=again).command
            if first.epochs and "--num-devices" not in line:  # sums depend on how many devices make them
                line += f" --num-devices {first.result['hardware']['num_devices']}"
            if failed := run_needed(each, record=False) or run_all([line]):
                return failed
            second = Run(platform, *record_of(row, RunDirectory(again)))
        differing = differences(first, second)
        code = code or int(bool(differing))
        what = "; ".join(differing) or f"the same digits, {_outcome(first.result)}"
        console.print(f"{row}, seed {each.seed}: {what}", soft_wrap=True, highlight=False)
    return code


def _outcome(result: dict[str, Any]) -> str:
    """What came out, in a few words."""
    if "test_accuracy" in result:
        return f"test accuracy {result['test_accuracy']:.2%}"
    if "test_bleu" in result:
        return f"test BLEU {result['test_bleu']}"
    if "test_nats_per_drawing" in result:
        return f"{result['test_loss']:.4f} nats a point"
    if "test_mse" in result:
        return f"test MSE {result['test_mse']:.4f}"
    return f"test perplexity {result['test_perplexity']:.2f}"


def differences(first: Run, second: Run) -> list[str]:
    """What two runs of one command found differently; times and origins do not count."""
    found = sorted(
        f"{name} {first.result[name]} against {second.result[name]}"
        for name in first.result.keys() & second.result.keys() - {*TIMES, *ORIGIN}
        if first.result[name] != second.result[name]
    )
    if first.correct is not None and second.correct is not None:
        unlike_answers = int((first.correct != second.correct).sum())
        found += [f"{unlike_answers} test examples are answered otherwise"] * (unlike_answers > 0)
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
        print(*commands(runs), sep="\n")
        return 0
    if options.check:
        return check(options, runs, console)
    check_presets(runs)
    return run_missing(runs)


if __name__ == "__main__":
    run(main)
