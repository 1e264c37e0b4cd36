"""Measures what a scan costs and when a loop should be unrolled: compile time, run time, memory, and peers.

Every row is one method to run one recurrent layer of one size; those of a size are measured in turns, in a
process of their own. The same command again goes on where it was stopped.
"""

import json
import sys
from dataclasses import dataclass
from itertools import product
from math import gcd
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import jax
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from experiments.command_line import Place, command_line, parse, run
from rnn_jax.cells import CELLS, CellName
from rnn_jax.errors import UserError
from rnn_jax.measuring.case import PRECISIONS, Case
from rnn_jax.measuring.peers import BOTH, PEER_CELLS, PEERS, is_installed
from rnn_jax.measuring.program import OURS
from rnn_jax.measuring.supervisor import measure
from rnn_jax.reporting.benchmark import benchmark_table, load_benchmark
from rnn_jax.training.environment import origin
from rnn_jax.training.parallel import set_up_devices
from rnn_jax.unroll import runs_itself

if TYPE_CHECKING:
    MethodName: TypeAlias = str
    PrecisionName: TypeAlias = str
else:
    MethodName = Literal[(*OURS, "cudnn")]
    PrecisionName = Literal[PRECISIONS]


@dataclass(frozen=True)
class Options:
    """Measures unrolls of recurrent layers, side by side with other libraries."""

    output: Place
    """Directory of benchmark.jsonl, a table and plots."""
    cells: tuple[CellName, ...] = ("lstm", "gru", "elman")
    """Cells."""
    methods: tuple[MethodName, ...] = ()
    """Unrolls to measure; by default all there are on this platform. Peers are chosen by --peers."""
    peers: str = ""
    """Libraries to measure beside, of flax, torch and keras, with commas between."""
    times: tuple[int, ...] = (32, 128, 512)
    """Lengths T of the sequences."""
    batches: tuple[int, ...] = (32, 128)
    """Batch sizes B, over all devices."""
    hidden: tuple[int, ...] = (32, 128, 512)
    """Sizes H of the state and of the inputs."""
    directions: tuple[Literal[1, 2], ...] = (1,)
    """Layers of one direction, or of both; of peers, torch has the latter."""
    modes: tuple[Literal["forward", "training"], ...] = ("forward", "training")
    """What is done: a forward pass, or gradients for inputs and weights."""
    precisions: tuple[PrecisionName, ...] = ("float32",)
    """Precision of products: float32, tensorfloat32 (NVIDIA GPUs only), or bfloat16. Sums and states are
    float32, but torch takes bfloat16 for all."""
    num_devices: int | None = None
    """Devices that share a batch, and threads of peers on a CPU; by default all, on a CPU one a core."""
    keep_memory: bool = True
    """Keep memory that was freed, as training runs do; --no-keep-memory leaves that to the C library. It
    holds for peers, too."""
    seconds: float = 3.0
    """Time for running one method, once it is prepared."""
    limit: float = 120.0
    """Seconds after which preparing a method is given up."""
    quick: bool = False
    """A small grid of the LSTM, in less than 3 minutes: other options for the grid do not count."""


QUICK = {
    "cells": ("lstm",),
    "times": (32, 128),
    "batches": (32,),
    "hidden": (128,),
    "seconds": 0.5,
    "limit": 20.0,
}


def read_options() -> Options:
    """The command line, checked."""
    options = parse(Options)
    if options.quick:
        options = Options(**{**vars(options), **QUICK})
    for name in ("times", "batches", "hidden"):
        if min(getattr(options, name)) < 1:
            raise UserError(f"--{name} {min(getattr(options, name))}: must be above 0")
    for peer in peers_of(options):
        if peer not in PEERS:
            raise UserError(f"--peers {peer}: choose from {', '.join(PEERS)}")
        if not is_installed(peer):
            raise UserError(f"--peers {peer}: it is not installed: pip install {peer}")
    return options


def peers_of(options: Options) -> list[str]:
    """The peers asked for."""
    return [peer for peer in options.peers.split(",") if peer]


def methods_of(options: Options, cell: str, directions: int, precision: str) -> list[str]:
    """The methods to run a layer; the plain scan first, which the others are compared with.

    Left out are those that would hand the cell on to another. `hoisted` stays: it runs all cells, those that
    cannot be taken apart as `dynamic-8` does.
    """
    there = cell == "lstm" and precision != "bfloat16" and jax.default_backend() == "gpu"
    asked = options.methods or (*OURS, "cudnn")
    ours = [name for name in asked if (there if name == "cudnn" else runs_itself(name, CELLS[cell]))]
    peers = [peer for peer in peers_of(options) if cell in PEER_CELLS and (directions == 1 or peer in BOTH)]
    return sorted({*ours, *peers}, key=lambda method: (method != "dynamic", method in PEERS, method))


def main() -> int:
    """Measures what is missing, then makes the table and the plots."""
    options = read_options()
    num_devices = set_up_devices(options.num_devices, gcd(*options.batches))
    file = Path(options.output) / "benchmark.jsonl"
    file.parent.mkdir(parents=True, exist_ok=True)
    setting = {
        "keep_memory": options.keep_memory,
        **origin(command_line("benchmark_unroll"), num_devices, PEERS),
    }
    recorded = load_benchmark(file)
    if others := {row["hardware"]["num_devices"] for row in recorded} - {num_devices}:
        raise UserError(
            f"{file} has figures of {others.pop()} devices, not {num_devices}: choose another --output"
        )
    done = {(*Case(**row["case"]), row["keep_memory"], row["method"]) for row in recorded}
    grid = product(
        *(options.precisions, options.cells, options.directions, options.hidden),
        *(options.batches, options.times, options.modes),
    )
    work = []
    for precision, cell, directions, hidden, batch, time, mode in grid:
        case = Case(cell, mode, time, batch, hidden, precision, directions)
        methods = methods_of(options, cell, directions, precision)
        missing = [method for method in methods if (*case, options.keep_memory, method) not in done]
        if missing:
            work.append((case, missing))
    console = Console(stderr=True)
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TimeRemainingColumn(compact=True),
        console=console,
        disable=not console.is_terminal,
    )
    with bar, file.open("a", encoding="utf-8") as output:
        task = bar.add_task("", total=sum(len(missing) for _, missing in work))
        for case, missing in work:
            name = f"{case.layer} {case.mode} T={case.time} B={case.batch} H={case.hidden} {case.precision}"
            bar.update(task, description=name)
            # The plain scan, which the others are compared with, runs again where it is recorded already.
            methods = list(dict.fromkeys(["dynamic", *missing]))
            for row in measure(
                case, methods, num_devices, options.seconds, options.keep_memory, options.limit
            ):
                if row["method"] not in missing:
                    continue
                output.write(json.dumps({"case": case._asdict(), **row, **setting}) + "\n")
                output.flush()
                bar.advance(task)
                console.print(describe(name, row), highlight=False, soft_wrap=True)
    rows = load_benchmark(file)
    (file.parent / "benchmark.md").write_text(benchmark_table(rows), encoding="utf-8")
    draw(rows, file.parent)
    return 0


def describe(name: str, row: dict[str, Any]) -> str:
    """A row in a line."""
    if row["status"] != "ok":
        return f"{name} · {row['method']}: {row['status']}"
    return f"{name} · {row['method']}: {1e3 * row['seconds']:.2f} ms · {row['gflops']:.0f} GFLOP/s"


def draw(rows: list[dict[str, Any]], folder: Path) -> None:
    """The plots, where matplotlib is installed."""
    try:
        from rnn_jax.reporting import benchmark_plots
    except ModuleNotFoundError as error:
        print(f"no plots: {error.name} is not installed (pip install matplotlib)", file=sys.stderr)
        return
    for name, picture in benchmark_plots.pictures(rows, jax.default_backend()).items():
        picture.save(folder / name)


if __name__ == "__main__":
    run(main)
