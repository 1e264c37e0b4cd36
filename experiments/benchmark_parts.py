"""Measures what the time of training a fused layer goes to, beside PyTorch's layer where it is installed."""

from dataclasses import dataclass
from itertools import product
from math import gcd
from pathlib import Path
from typing import Literal

from rich.progress import track

from experiments.command_line import Place, command_line, parse, run
from rnn_jax.durable import write_whole
from rnn_jax.errors import UserError
from rnn_jax.measuring.case import Case
from rnn_jax.measuring.parts import measure_parts
from rnn_jax.reporting.parts import load_parts, parts_table
from rnn_jax.reporting.rows import replace_rows
from rnn_jax.training.environment import origin
from rnn_jax.training.parallel import set_up_devices


@dataclass(frozen=True)
class Options:
    """Measures what the time of training a fused layer goes to, beside PyTorch's where it is installed."""

    output: Place
    """Directory of parts.jsonl and a table; a row of the same layer is replaced."""
    cells: tuple[Literal["elman", "lstm", "gru"], ...] = ("elman", "lstm", "gru")
    """Cells."""
    time: int = 200
    """Length T of the sequences, a multiple of 8."""
    batches: tuple[int, ...] = (32, 128)
    """Batch sizes B, over all devices."""
    hidden: tuple[int, ...] = (128, 512)
    """Sizes H of the state and of the inputs."""
    precisions: tuple[Literal["float32", "bfloat16"], ...] = ("float32",)
    """Precision of products; PyTorch takes it for all."""
    num_devices: int | None = None
    """Devices that share a batch; by default all, on a CPU one a core."""
    seconds: float = 3.0
    """Time for running one part, once it is compiled."""


def main() -> int:
    """Measures, and writes the records and a table."""
    options = parse(Options)
    if options.time < 1 or options.time % 8:  # so that chunks of any default length divide it
        raise UserError(f"--time {options.time}: must be a multiple of 8")
    if min(*options.batches, *options.hidden) < 1:
        raise UserError("--batches and --hidden must be above 0")
    num_devices = set_up_devices(options.num_devices, gcd(*options.batches))
    setting = origin(command_line("benchmark_parts"), num_devices, ("torch",))
    rows = []
    grid = list(product(options.precisions, options.cells, options.hidden, options.batches))
    for precision, cell, hidden, batch in track(grid, description="measuring"):
        case = Case(cell, "training", options.time, batch, hidden, precision)
        parts = [part._asdict() for part in measure_parts(case, num_devices, options.seconds)]
        rows.append({"case": case._asdict(), "parts": parts, **setting})
    file = Path(options.output) / "parts.jsonl"
    rows = replace_rows(file, load_parts(file), rows, lambda row: row["case"])
    table = parts_table(rows)
    write_whole(file.with_suffix(".md"), table)
    print(table, end="")
    return 0


if __name__ == "__main__":
    run(main)
