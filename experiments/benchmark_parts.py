"""Measures what the time of training a fused layer goes to."""

import json
from dataclasses import dataclass
from itertools import product
from pathlib import Path

from rich.progress import track

from experiments.command_line import command_line, parse, run
from rnn_jax.errors import UserError
from rnn_jax.measuring.case import Case
from rnn_jax.measuring.parts import CHUNK, measure_parts
from rnn_jax.measuring.peers import PEER_CELLS
from rnn_jax.reporting.parts import load_parts, parts_table
from rnn_jax.training.environment import commit, hardware, versions
from rnn_jax.training.parallel import set_up_devices


@dataclass(frozen=True)
class Options:
    """Measures what the time of training a fused layer goes to."""

    output: str
    """Directory of parts.jsonl and a table."""
    cells: tuple[str, ...] = PEER_CELLS
    """Cells."""
    time: int = 200
    """Length T of the sequences, a multiple of 20."""
    batches: tuple[int, ...] = (32, 128)
    """Batch sizes B, over all devices."""
    hidden: tuple[int, ...] = (128, 512)
    """Sizes H of the state and of the inputs."""
    num_devices: int | None = None
    """Devices that share a batch; by default all, on a CPU one a core."""
    seconds: float = 3.0
    """Time for running one part, once it is compiled."""


def main() -> int:
    """Measures, and writes the records and a table."""
    options = parse(Options)
    for cell in options.cells:
        if cell not in PEER_CELLS:
            raise UserError(f"--cells {cell}: choose from {', '.join(PEER_CELLS)}")
    if options.time < CHUNK or options.time % CHUNK:
        raise UserError(f"--time {options.time}: must be a multiple of {CHUNK}")
    if min(*options.batches, *options.hidden) < 1:
        raise UserError("--batches and --hidden must be above 0")
    num_devices = set_up_devices(options.num_devices, min(options.batches))
    setting = {
        "hardware": hardware(num_devices),
        "versions": versions(),
        "commit": commit(),
        "command": command_line("benchmark_parts"),
    }
    rows = []
    grid = list(product(options.cells, options.hidden, options.batches))
    for cell, hidden, batch in track(grid, description="measuring"):
        case = Case(cell, "training", options.time, batch, hidden, "float32")
        parts = [part._asdict() for part in measure_parts(case, num_devices, options.seconds)]
        rows.append({"case": case._asdict(), "parts": parts, **setting})
    folder = Path(options.output)
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "parts.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    table = parts_table(load_parts(file))
    (folder / "parts.md").write_text(table, encoding="utf-8")
    print(table, end="")
    return 0


if __name__ == "__main__":
    run(main)
