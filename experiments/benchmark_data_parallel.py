"""Measures training over the number of devices: the whole batch fixed, and the batch of each device fixed."""

import json
import sys
from dataclasses import dataclass
from pathlib import Path

import jax
import tyro
from rich.console import Console

from experiments.command_line import Place, command_line, parse, run
from rnn_jax.errors import UserError
from rnn_jax.measuring.scaling import measure_scaling
from rnn_jax.reporting.scaling import load_scaling, scaling_table
from rnn_jax.settings import check, to_flat
from rnn_jax.tasks.text_classification import Settings
from rnn_jax.training.environment import origin
from rnn_jax.training.parallel import set_up_devices


@dataclass(frozen=True)
class Options:
    """Measures training steps over the number of devices. All reviews have --max-length tokens."""

    output: Place
    """Directory of data_parallel.jsonl, a table and a plot."""
    settings: Settings
    num_devices: int | None = None
    """The most devices; by default all that share the batch evenly, on a CPU one a core."""
    seconds: float = 10.0
    """Time for running each number of devices, once it is compiled."""


def main() -> int:
    """Measures, and writes the records, a table and a plot."""
    options = parse(Options, Options(output=tyro.MISSING, settings=Settings()))
    check(options.settings)
    most = set_up_devices(options.num_devices, options.settings.training.batch_size)
    if jax.process_count() > 1:
        raise UserError("the benchmark runs on one host: start it without --distributed")
    counts = [count for count in range(1, most + 1) if options.settings.training.batch_size % count == 0]
    console = Console(stderr=True)
    setting = {"config": to_flat(options.settings), **origin(command_line("benchmark_data_parallel"), most)}
    folder = Path(options.output)
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "data_parallel.jsonl"
    with console.status(f"training on {', '.join(map(str, counts))} devices in turns"):
        rows = list(measure_scaling(options.settings, counts, options.seconds))
    file.write_text("".join(json.dumps(row | setting) + "\n" for row in rows), encoding="utf-8")
    rows = load_scaling(file)
    table = scaling_table(rows)
    (folder / "data_parallel.md").write_text(table, encoding="utf-8")
    print(table, end="")
    try:
        from rnn_jax.reporting import scaling_plots
    except ModuleNotFoundError as error:
        print(f"no plot: {error.name} is not installed (pip install matplotlib)", file=sys.stderr)
        return 0
    for name, picture in scaling_plots.pictures(rows, jax.default_backend()).items():
        picture.save(folder / name)
    return 0


if __name__ == "__main__":
    run(main)
