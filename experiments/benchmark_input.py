"""Measures how many reviews a second a host can hand to its accelerators: batches made by one process."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tyro

from experiments.command_line import Place, command_line, parse, run
from rnn_jax.data import dataset as datasets
from rnn_jax.measuring.input import examples_per_second
from rnn_jax.reporting.ahead import load_input
from rnn_jax.reporting.rows import replace_rows
from rnn_jax.settings import check, require, to_flat
from rnn_jax.tasks.text_classification import Settings, data_of
from rnn_jax.training.environment import origin
from rnn_jax.training.recipe import Places


@dataclass(frozen=True)
class Options:
    """Measures how many reviews a second a host can hand to its accelerators."""

    output: Place
    """Directory of input.jsonl; a row of the same settings is replaced."""
    settings: Settings
    seconds: float = 10.0
    """How long batches are made."""
    data_dir: Place | None = None
    """TFDS directory; by default $TFDS_DATA_DIR, or ~/tensorflow_datasets."""
    cache_dir: Place | None = None
    """Where encoded data are kept; by default beside the TFDS data."""


def main() -> int:
    """Measures, and records."""
    options = parse(Options, Options(output=tyro.MISSING, settings=Settings()))
    check(options.settings)
    require(options.seconds > 0, "seconds", options.seconds, "must be above 0")
    settings, places = options.settings, Places(options.data_dir, options.cache_dir)
    data = data_of(settings, datasets.load(settings.text, *places))
    rate = examples_per_second(data.train, settings.training.batch_size, options.seconds)
    row: dict[str, Any] = {"dataset": data.name, "reviews_per_second": rate, "config": to_flat(settings)}
    file = Path(options.output) / "input.jsonl"
    row |= origin(command_line("benchmark_input"), 1)
    replace_rows(file, load_input(file), [row], lambda row: row["config"])
    print(f"{data.name}: {rate:,.0f} reviews/s, in batches of {settings.training.batch_size}")
    return 0


if __name__ == "__main__":
    run(main)
