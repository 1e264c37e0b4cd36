"""Compiles layers and runs for accelerators that are not here, and records what their compilers say.

`layers`: a layer of each cell by each unroll, in training, on one device. `runs`: the training steps of
presets of all tasks, on a host of devices and on 256. What is recorded is not compiled again. Nothing is
measured: cycles are the compiler's estimate, launches what it has left of a program.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any, Literal

from rich.console import Console

from experiments.command_line import Place, command_line, parse, run
from experiments.compile_for import PRESETS
from rnn_jax.ahead.compiling import Compiled, Refused, compile_ahead
from rnn_jax.ahead.layers import Layer, unrolls_of
from rnn_jax.ahead.programs import Ahead, programs_of
from rnn_jax.ahead.targets import FIRST, LARGE, ONE, Target, keep_to_compilers, open_target
from rnn_jax.cells import CELLS
from rnn_jax.durable import write_whole
from rnn_jax.errors import RunError
from rnn_jax.reporting.ahead import layers_table, load_ahead, runs_table
from rnn_jax.settings import with_flat
from rnn_jax.training.environment import origin

Row = dict[str, Any]
EACH = 32  # examples of a device, in runs
SCALED = ("lstm", "best")  # compiled for one device, too, with few examples and many
BATCHES = (8, 32, 128, 512)
# What tells a record from others.
IDENTITY = {"what", "platform", "topology", "chip", *Layer._fields, "preset", "batch_size", "devices"}
# One of each kind of network; those that are left out differ in the cell, or in how long they train.
CHOSEN = (
    *("lstm", "gru", "best", "fasttext", "text_cnn", "semi_supervised"),
    *("tiny_shakespeare", "wikitext2", "reviews", "reviews_large"),
)


@dataclass(frozen=True, kw_only=True)
class Options:
    """Compiles layers and runs for accelerators that are not here, and records what their compilers say."""

    output: Place
    """Directory of ahead.jsonl."""
    platform: Literal["tpu", "cuda"] = "tpu"
    """Whose compiler; see `experiments.compile_for`."""
    what: tuple[Literal["layers", "runs"], ...] = ("layers", "runs")
    """A layer of each cell by each unroll, training steps of presets."""
    hidden: tuple[int, ...] = (128, 512)
    """Units of a layer, and its inputs."""
    batch: int = 32
    """Sequences of a layer."""
    times: tuple[int, ...] = (200, 1024)
    """Steps of a layer."""


def layers(options: Options) -> Iterator[tuple[Row, Target, Callable[[], Ahead]]]:
    """Each layer: what tells it from others, what it is compiled for, and its program."""
    target = open_target(options.platform)
    for cell, hidden, time in product(CELLS, options.hidden, options.times):
        for unroll in unrolls_of(cell):
            layer = Layer(cell, unroll, hidden, options.batch, time)
            yield {"what": "layer", **layer._asdict()}, target, partial(layer.program, target.devices[0])


def runs(options: Options) -> Iterator[tuple[Row, Target, Callable[[], Ahead]]]:
    """Each run: the same."""
    many = FIRST[options.platform], LARGE[options.platform]
    cases = [(topology, name, EACH) for topology, name in product(many, CHOSEN)]
    cases += [(ONE[options.platform], name, each) for name, each in product(SCALED, BATCHES)]
    for topology, name, each in cases:
        target, (recipe, settings) = open_target(options.platform, topology), PRESETS[name]
        settings = with_flat(settings, batch_size=each * len(target.devices))

        def program(recipe: Any = recipe, settings: Any = settings, target: Target = target) -> Ahead:
            return programs_of(recipe, settings, recipe.stand_in(settings), target.devices)["training"]

        own = {"what": "run", "preset": name, "batch_size": settings.training.batch_size}
        yield own | {"devices": len(target.devices)}, target, program


WHAT = {"layers": layers, "runs": runs}


def figures(found: Compiled | Refused) -> Row:
    """What is recorded of a program.

    Raises:
        RunError: if the compiler fails for another reason than memory.
    """
    if isinstance(found, Refused):
        if not found.too_large:
            raise RunError(f"the compiler fails: {found.reason}")
        return {"status": found.reason}
    return {
        "status": "ok",
        "compile_seconds": round(found.seconds, 2),
        "memory": found.memory,
        "temporary": found.temporary,
        "operations": found.work.operations,
        "bytes": found.work.bytes,
        "launches": found.launches,
        "loops": [list(loop) for loop in found.loops],
        "exchanged": found.exchanged(),
        "cycles": found.cycles,
    }


def main() -> int:
    """Compiles what is missing, and prints the tables."""
    options = parse(Options)
    keep_to_compilers()
    file = Path(options.output) / "ahead.jsonl"
    file.parent.mkdir(parents=True, exist_ok=True)
    rows, console = load_ahead(file), Console(stderr=True)
    setting = origin(command_line("benchmark_ahead"), 1)
    del setting["hardware"]  # what it was compiled on does not matter
    known = [{name: row[name] for name in row if name in IDENTITY} for row in rows]
    for what in options.what:
        for own, target, program in WHAT[what](options):
            identity = {**own, "platform": target.platform, "topology": target.topology, "chip": target.chip}
            if identity in known:
                continue
            with console.status(f"compiling {' '.join(map(str, own.values()))} for {target.topology}"):
                rows.append(identity | figures(compile_ahead(program(), target)) | setting)
            write_whole(file, "".join(json.dumps(row) + "\n" for row in rows))
    print(layers_table(rows, options.platform), runs_table(rows), sep="\n", end="")
    return 0


if __name__ == "__main__":
    run(main)
