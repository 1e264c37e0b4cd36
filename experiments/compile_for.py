"""Compiles a run for accelerators that are not here, and says what it would need on them.

It answers whether a run fits, and what would stop it, before anybody pays for the machines. Shapes are all
that is read: no data, no accelerator. Figures are those of the compiler, and of one device.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias

from rich.console import Console
from rich.table import Column, Table

from experiments import (
    captioning,
    digits,
    forecasting,
    handwriting,
    language_model,
    pen_digits,
    presets,
    promoters,
    spoken_digits,
    translation,
)
from experiments.command_line import Place, parse, run
from rnn_jax.ahead.compiling import Compiled, Refused, compile_ahead, largest_batch
from rnn_jax.ahead.programs import programs_of
from rnn_jax.ahead.targets import Target, keep_to_compilers, open_target
from rnn_jax.errors import UserError
from rnn_jax.settings import require, with_flat
from rnn_jax.tasks import TASKS, recipe_of
from rnn_jax.training.recipe import Preprocessor, Recipe
from rnn_jax.training.run_directory import RunDirectory
from rnn_jax.unroll import UnrollName

FIRST = "lstm"  # preset
MOST = 2**20  # examples of a device, beyond which no larger batch is tried

TOUR: dict[str, dict[str, Any]] = {
    "digits": dict(digits.PRESETS),
    "pen_digits": dict(pen_digits.PRESETS),
    "spoken_digits": dict(spoken_digits.PRESETS),
    "promoters": dict(promoters.PRESETS),
    "handwriting": dict(handwriting.PRESETS),
    "translation": dict(translation.PRESETS),
    "captioning": dict(captioning.PRESETS),
    "forecasting": dict(forecasting.PRESETS),
}
NAMED: dict[str, dict[str, Any]] = {
    "text_classification": dict(presets.PRESETS),
    "language_model": dict(language_model.PRESETS),
    **{script: {f"{script}_{name}": each for name, each in own.items()} for script, own in TOUR.items()},
}
PRESETS: dict[str, tuple[Recipe, Any]] = {
    name: (TASKS[task], settings) for task, own in NAMED.items() for name, settings in own.items()
}

if TYPE_CHECKING:
    PresetName: TypeAlias = str
else:
    PresetName = Literal[tuple(PRESETS)]


@dataclass(frozen=True, kw_only=True)
class Options:
    """Compiles a run for accelerators that are not here, and says what it would need on them."""

    platform: Literal["tpu", "cuda"] = "tpu"
    """Whose compiler: Google's (make compiler, and then PYTHONPATH=.venv-compiler), or NVIDIA's (pip install
    jax-cuda12-plugin jax-cuda12-pjrt)."""
    topology: str | None = None
    """The devices: a chip and a grid, or a number of GPUs; by default v5e:2x4, or h100:8."""
    preset: PresetName = FIRST
    """Settings of `imdb_sentiment`, of `language_model`, or of a script of the tour, behind its name."""
    workdir: Place | None = None
    """The settings of the run in this directory instead."""
    batch_size: int | None = None
    """Examples a step, over all devices, instead of the preset's."""
    unroll: UnrollName | None = None
    """Another unroll than the preset's."""
    fit: bool = False
    """Find the largest batch that fits, by doubling."""


class Chosen(NamedTuple):
    """What is compiled."""

    name: str
    recipe: Recipe
    settings: Any
    preprocessor: Preprocessor


def chosen_by(options: Options) -> Chosen:
    """The settings, and a preprocessor: the run's own, or one that stands in for it."""
    changes = {"batch_size": options.batch_size, "unroll": options.unroll}
    changes = {name: value for name, value in changes.items() if value is not None}
    if options.workdir is None:
        recipe, settings = PRESETS[options.preset]
        settings = with_flat(settings, **changes)
        return Chosen(options.preset, recipe, settings, recipe.stand_in(settings))
    if options.preset != FIRST:
        raise UserError("--preset and --workdir exclude each other: leave one out")
    recipe, directory = recipe_of(options.workdir), RunDirectory(options.workdir)
    settings = directory.read(recipe.name, recipe.settings)
    preprocessor = recipe.preprocessor(settings, directory.path)
    return Chosen(options.workdir, recipe, with_flat(settings, **changes), preprocessor)


def main() -> int:
    """Prints what each program needs."""
    options = parse(Options)
    positive = options.batch_size is None or options.batch_size > 0
    require(positive, "batch_size", options.batch_size, "must be above 0")
    keep_to_compilers()
    target = open_target(options.platform, options.topology)
    chosen = chosen_by(options)
    console = Console(highlight=False)
    batch = chosen.settings.training.batch_size
    console.print(
        f"{chosen.name} for {target.topology}: {len(target.devices)} × {target.chip}, {batch} examples a step"
    )
    compiled, refused = {}, []
    for name, program in programs_of(*chosen[1:], target.devices).items():
        with console.status(f"compiling {name} ..."):
            found = compile_ahead(program, target)
        if isinstance(found, Refused):
            refused.append(f"{name} {found.reason}")
        else:
            compiled[name] = found
    console.print(table_of(compiled, target))
    if options.fit:
        say_what_fits(chosen, target, console)
    if refused:
        raise UserError(f"{chosen.name} does not run on {target.topology}: {'; '.join(refused)}")
    return 0


def table_of(compiled: dict[str, Compiled], target: Target) -> Table:
    """A column a program, of one device."""
    table = Table("on each device", *(Column(name, justify="right") for name in compiled))
    rows: dict[str, Callable[[Compiled], str]] = {
        f"memory, of {size(target.memory)}": lambda found: size(found.memory),
        "  of it, arguments": lambda found: size(found.arguments),
        "  of it, temporary": lambda found: size(found.temporary),
        "operations in products": lambda found: f"{found.work.operations / 1e9:,.3g} G",
        "bytes of products": lambda found: size(found.work.bytes),
        "loops: trips × launches": launches,
        "exchanged a step": exchanged,
        "cycles (its estimate)": lambda found: f"{found.cycles:,}" if found.cycles else "–",
        "compiled in": lambda found: f"{found.seconds:.1f} s",
    }
    for name, cell in rows.items():
        table.add_row(name, *map(cell, compiled.values()))
    return table


def launches(found: Compiled) -> str:
    """What is launched in a trip of each innermost loop."""
    return "\n".join(f"{loop.trips} × {loop.launches}" for loop in found.loops) or "–"


def exchanged(found: Compiled) -> str:
    """What devices send each other in a step."""
    return "\n".join(f"{name} {size(total)}" for name, total in found.exchanged().items()) or "–"


def size(number: float) -> str:
    """Bytes for people."""
    for unit in ("B", "KiB", "MiB"):
        if number < 1024:
            return f"{number:.4g} {unit}"
        number /= 1024
    return f"{number:.4g} GiB"


def say_what_fits(chosen: Chosen, target: Target, console: Console) -> None:
    """The largest batch that can be trained on."""
    count = len(target.devices)

    def try_out(batch: int) -> Compiled | Refused:
        settings = with_flat(chosen.settings, batch_size=batch * count)
        program = programs_of(chosen.recipe, settings, chosen.preprocessor, target.devices)["training"]
        with console.status(f"compiling for {batch:,} examples a device ..."):
            return compile_ahead(program, target)

    training = chosen.settings.training
    found = largest_batch(try_out, max(training.batch_size // count, 1), training.accumulate, MOST)
    if found is None:
        raise UserError(f"{chosen.name} does not fit on {target.topology}, however small the batch")
    console.print(f"the largest batch that fits: {found:,} examples a device, {found * count:,} in all")


if __name__ == "__main__":
    run(main)
