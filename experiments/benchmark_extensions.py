"""Measures what lengths, resets, noise on the state and other extensions of a recurrent layer cost."""

from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Literal

from rich.progress import track

from experiments.command_line import Place, command_line, parse, run
from rnn_jax.cells import CELLS, CellName
from rnn_jax.durable import write_whole
from rnn_jax.errors import UserError
from rnn_jax.measuring.case import Case
from rnn_jax.measuring.extensions import measure_extensions
from rnn_jax.reporting.extensions import extensions_table, load_extensions
from rnn_jax.reporting.rows import replace_rows
from rnn_jax.settings import require
from rnn_jax.training.environment import origin
from rnn_jax.training.parallel import set_up_devices
from rnn_jax.unroll import runs_itself


@dataclass(frozen=True)
class Options:
    """Measures a step of training for layers without anything, and with each extension, in turns."""

    output: Place
    """Directory of extensions.jsonl and a table; rows of the same layer and unroll are replaced."""
    cells: tuple[CellName, ...] = ("lstm", "gru", "mingru", "lru", "sru")
    """Cells."""
    unrolls: tuple[
        Literal["dynamic", "static", "fused", "hoisted", "checkpointed", "parallel", "newton"], ...
    ] = ("dynamic", "fused", "parallel", "newton")
    """Unrolls; each for the cells that it runs in a way of its own."""
    time: int = 200
    """Length T of the sequences."""
    batch: int = 32
    """Batch size B, over all devices."""
    hidden: int = 128
    """Size H of the state and of the inputs."""
    num_devices: int | None = None
    """Devices that share a batch; by default all, on a CPU one a core."""
    seconds: float = 3.0
    """Time for running one layer, once it is compiled."""


def main() -> int:
    """Measures, and writes the records and a table."""
    options = parse(Options)
    for name in ("time", "batch", "hidden"):
        require(getattr(options, name) > 0, name, getattr(options, name), "must be above 0")
    num_devices = set_up_devices(options.num_devices, options.batch)
    grid = [pair for pair in product(options.cells, options.unrolls) if runs_itself(pair[1], CELLS[pair[0]])]
    if not grid:
        raise UserError("--unrolls: none of them runs one of --cells in a way of its own: add dynamic")
    setting = origin(command_line("benchmark_extensions"), num_devices)
    rows = []
    for cell, unroll in track(grid, description="measuring"):
        case = Case(cell, "training", options.time, options.batch, options.hidden, "float32")
        seconds = measure_extensions(case, unroll, num_devices, options.seconds)
        rows.append({"case": case._asdict(), "unroll": unroll, "seconds": seconds, **setting})
    file = Path(options.output) / "extensions.jsonl"
    rows = replace_rows(file, load_extensions(file), rows, lambda row: (row["case"], row["unroll"]))
    table = extensions_table(rows)
    write_whole(file.with_suffix(".md"), table)
    print(table, end="")
    return 0


if __name__ == "__main__":
    run(main)
