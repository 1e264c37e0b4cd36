"""What every script that trains has in common: its options, and how a run begins, goes on and ends."""

import argparse
import os
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, TypeVar

import tyro
from rich.console import Console

from experiments.command_line import Place, command_line, parse
from rnn_jax.errors import UserError
from rnn_jax.settings import check, require, to_flat, with_flat
from rnn_jax.tasks import recipe_of
from rnn_jax.training.checkpoints import Checkpoints
from rnn_jax.training.compilation import keep_compiled_programs
from rnn_jax.training.hosts import end_together, is_first, join
from rnn_jax.training.interruption import InterruptedRunError
from rnn_jax.training.loop import Pace, Run
from rnn_jax.training.parallel import set_up_devices
from rnn_jax.training.recipe import Places, Recipe
from rnn_jax.training.run_directory import RunDirectory
from rnn_jax.training.transfer import Source, costs, of_layers, of_run, transfer
from rnn_jax.training.weights import open_run


@dataclass(frozen=True, kw_only=True)
class TrainingOptions:
    """Where and how a run trains; a script adds its presets and settings."""

    workdir: Place
    """Directory of the run: settings, metrics, checkpoints, result."""
    init_from: Place | None = None
    """Start a new run from the best weights of the run in this directory, of the same task or of another; or
    from recurrent layers in a file of `experiments.convert`."""
    data_dir: Place | None = None
    """TFDS directory; by default $TFDS_DATA_DIR, or ~/tensorflow_datasets."""
    cache_dir: Place | None = None
    """Where encoded data are kept; by default beside the TFDS data, own texts in ~/.cache/rnn_jax."""
    num_devices: int | None = None
    """Devices of this host to use; by default all that can share a batch evenly, on a CPU one a core."""
    distributed: bool = False
    """Train together with other processes: find them with jax.distributed.initialize()."""
    log_every: int = 50
    """Steps between two records in metrics.jsonl."""
    save_every: int = 500
    """Steps between two checkpoints within an epoch; every epoch ends with one besides."""
    logger: Literal["none", "tensorboard"] = "none"
    """tensorboard writes the log for TensorBoard, too: `tensorboard --logdir runs`. Needs tensorboardX."""
    profile: Place | None = None
    """Folder for a trace of a few steps, which opens at ui.perfetto.dev."""
    read_test: Annotated[bool, tyro.conf.arg(name="test")] = True
    """Read the test split at the end; --no-test while searching for settings, so that it cannot mislead."""
    dry_run: bool = False
    """Print the settings, the model summary and the plan, and stop; no run is begun."""


Options = TypeVar("Options", bound=TrainingOptions)


def read_options(kind: type[Options], presets: Mapping[str, Any], first: str) -> Options:
    """The command line, with the settings of its preset, or of the first, as defaults."""
    settings: dict[str, Any] = {"settings": preset_of(presets, first)}
    options = parse(kind, kind(workdir=tyro.MISSING, **settings))
    for name in ("log_every", "save_every"):
        if getattr(options, name) < 1:
            raise UserError(f"--{name.replace('_', '-')} {getattr(options, name)}: must be above 0")
    check(settings_of(options))
    if options.logger == "tensorboard" and find_spec("tensorboardX") is None:
        raise UserError("--logger tensorboard needs tensorboardX: pip install tensorboardX")
    training = settings_of(options).training
    for name, neutral in (("freeze_epochs", 0), ("pretrained_rate", 1.0)):
        value = getattr(training, name)
        require(value == neutral or options.init_from is not None, name, value, "needs --init-from")
        is_run = options.init_from is None or not Path(options.init_from).is_file()
        require(value == neutral or is_run, name, value, "needs a run for --init-from, not layers in a file")
    return options


def preset_of(presets: Mapping[str, Any], first: str) -> Any:
    """The settings of the preset that the command line names, or of the first."""
    finder = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    finder.add_argument("--preset", nargs="?")  # an unknown name, or none: tyro complains
    return presets.get(finder.parse_known_args()[0].preset or "", presets[first])


def settings_of(options: TrainingOptions) -> Any:
    """The settings among the options of a script."""
    return options.settings  # type: ignore[attr-defined]


def as_begun(options: Options, recipe: Recipe) -> Options:
    """The options for a run that has begun, of which `--dataset auto` is what it came to then."""
    settings, directory = settings_of(options), RunDirectory(options.workdir)
    if to_flat(settings)["dataset"] != "auto" or not (directory.path / "config.json").is_file():
        return options
    found = directory.read_settings()
    if found.get("task") != recipe.name:
        return options
    known: dict[str, Any] = {"settings": with_flat(settings, dataset=found["dataset"])}
    return replace(options, **known)


def settle(
    settings: Any, dataset: str | None, *, small: tuple[str, Mapping[str, Any]] = ("synthetic", {})
) -> Any:
    """The settings once it is known which data are at hand; None while `--dataset auto` leaves that open.

    Args:
        settings: of the preset and the command line.
        dataset: the name of the data, once they are loaded.
        small: a dataset that is there without being prepared, and settings for it in place of a preset's, but
            for those that batches are made by.
    """
    asked = to_flat(settings)["dataset"]
    name = dataset or (None if asked == "auto" else asked)
    if name is None:
        return None
    typed = {word.split("=")[0].removeprefix("--").replace("-", "_") for word in sys.argv}
    changes = {each: value for each, value in small[1].items() if each not in typed and name == small[0]}
    return with_flat(settings, dataset=name, **changes)


class Script(NamedTuple):
    """What is particular to a script.

    Attributes:
        name: its own.
        recipe: of what it trains.
        settle: the settings once the name of the dataset is known; None as a name: before it is loaded, and
            then None where that has to be waited for.
        plan: describes the run before it starts, in a few lines.
        report: says what came out, and how to use it: `(result, workdir, run) -> lines`; the run is None
            where it has finished earlier.
    """

    name: str
    recipe: Recipe
    settle: Callable[[str | None], Any]
    plan: Callable[[Run], str]
    report: Callable[[dict[str, Any], str, Run | None], str]


def train(script: Script, options: TrainingOptions) -> int:
    """Finds the other processes, if any, and trains with them: the exit code."""
    keep_compiled_programs()
    if options.distributed:
        join()
    with end_together():
        return _train(script, options)


def _train(script: Script, options: TrainingOptions) -> int:
    """Trains in the directory, or reports what was trained there."""
    recipe = script.recipe
    num_devices = set_up_devices(options.num_devices, settings_of(options).training.batch_size)
    console = Console(quiet=not is_first())
    directory = RunDirectory(options.workdir)
    settled = script.settle(None)
    if settled is not None and _report_finished(script, options, settled, console):
        return 0  # without loading the data
    start = time.perf_counter()
    data = recipe.load(settings_of(options), Places(options.data_dir, options.cache_dir))
    data = data._replace(seconds=time.perf_counter() - start)
    settings = script.settle(data.name)
    if _report_finished(script, options, settings, console):
        return 0
    run = Run(
        recipe.make(settings, data.preprocessor),
        data,
        settings,
        directory,
        num_devices=num_devices,
        pace=Pace(options.log_every, options.save_every, options.logger == "tensorboard", options.profile),
        test=options.read_test,
        console=console,
    )
    if options.dry_run:
        for name, value in to_flat(settings).items():
            console.print(f"{name:18} {value}", highlight=False)
    _say(console, script.plan(run))
    if options.dry_run:
        return 0
    weights, fields = None, {}
    if options.init_from:
        fields = costs(options.init_from)
    if options.init_from and Checkpoints(directory.checkpoints).newest() is None:
        weights, words = transfer(source(options.init_from), run.task, settings, data.preprocessor)
        _say(console, words)
    try:
        result = run.train(command_line(script.name), weights, fields)
        _say(console, script.report(result, options.workdir, run))
    except InterruptedRunError as interruption:
        console.print(f"{interruption}; the same command goes on from there", highlight=False)
        return interruption.exit_code
    return 0


def source(path: str) -> Source:
    """Weights to begin with: the best of the run in a directory, or recurrent layers in a file."""
    return of_layers(path) if Path(path).is_file() else of_run(path, open_run(path, recipe_of(path)))


def _report_finished(script: Script, options: TrainingOptions, settings: Any, console: Console) -> bool:
    """Reports a run that has finished; False for others, and where the test split is still to be read."""
    directory = RunDirectory(options.workdir)
    directory.check_usable(script.recipe.name, settings)
    result = directory.finished(script.recipe.name, settings)
    if result is None or (options.read_test and not result["test_examples"]):
        return False
    console.print(f"{options.workdir} has finished already", highlight=False)
    _say(console, script.report(result, options.workdir, None))
    return True


def _say(console: Console, text: str) -> None:
    console.print(text, highlight=False, markup=False, soft_wrap=True)


def devices(run: Run) -> str:
    """How many there are, in words."""
    return f"{run.num_devices} {'device' if run.num_devices == 1 else 'devices'}"


def takes(run: Run, minutes: str) -> str:
    """How long a run takes, in words; nothing of one on made-up data, which is short."""
    return "" if run.data.name == "synthetic" else f"; on two cores, {minutes}"


def python() -> str:
    """The interpreter as one would type it."""
    near = os.path.relpath(sys.executable)
    return near if near.startswith(".venv") else "python"
