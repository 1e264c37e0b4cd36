"""Measures whole epochs of training on the reviews, by this project and by Keras, on TensorFlow or on JAX."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast

import tyro
from rich.console import Console

from experiments.command_line import Place, command_line, parse, run
from rnn_jax.data import dataset as datasets
from rnn_jax.data.batches import Bucketed
from rnn_jax.data.dataset import Dataset
from rnn_jax.data.packing import Packed
from rnn_jax.measuring.epochs import Epoch, our_epochs
from rnn_jax.measuring.keras_epochs import check_keras, keras_epochs
from rnn_jax.reporting.epochs import epochs_table, load_epochs
from rnn_jax.reporting.rows import replace_rows
from rnn_jax.settings import check, to_flat
from rnn_jax.tasks.text_classification import Settings, data_of
from rnn_jax.training.environment import origin
from rnn_jax.training.parallel import set_up_devices


@dataclass(frozen=True)
class Options:
    """Measures whole epochs of training; the test reviews are read after each, for the time to learn."""

    output: Place
    """Directory of epochs.jsonl and a table; a row of the same network is replaced."""
    settings: Settings
    libraries: tuple[Literal["rnn_jax", "keras_tensorflow", "keras_jax"], ...] = ("rnn_jax",)
    """Who trains: rnn_jax, and Keras on one of its back ends (pip install keras, tensorflow-cpu)."""
    num_devices: int | None = None
    """Devices that share a batch, and threads of TensorFlow; by default all, on a CPU one a core."""
    data_dir: Place | None = None
    """Directory of the TFDS data; by default $TFDS_DATA_DIR or ~/tensorflow_datasets."""
    cache_dir: Place | None = None
    """Directory of the encoded data."""


def train(library: str, settings: Settings, data: Dataset, num_devices: int, console: Console) -> list[Epoch]:
    """The epochs of a library."""
    if library != "rnn_jax":
        with console.status("Keras is training"):
            return keras_epochs(settings, data, num_devices, library.removeprefix("keras_"))
    epochs = []
    for epoch in our_epochs(settings, data, num_devices):
        epochs.append(epoch)
        console.print(f"epoch {len(epochs)}: {epoch.seconds:.1f} s", highlight=False)
    return epochs


def padding(settings: Settings, data: Dataset) -> float:
    """The share of all steps of an epoch that no word is in."""
    split = cast("Bucketed | Packed", data_of(settings, data).train)
    steps = sum(settings.training.batch_size * plan.length for plan in split.epoch(settings.training.seed, 0))
    return 1 - int(split.lengths.sum()) / steps


def what(row: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """The library and the network that a row is of, settings younger than it at their defaults."""
    return row["library"], to_flat(Settings()) | row["config"]


def main() -> int:
    """Measures, and writes the records and a table."""
    options = parse(Options, Options(output=tyro.MISSING, settings=Settings()))
    settings = options.settings
    check(settings)
    if backends := [name.removeprefix("keras_") for name in options.libraries if name != "rnn_jax"]:
        check_keras(settings, backends)
    num_devices = set_up_devices(options.num_devices, settings.training.batch_size)
    data = datasets.load(settings.text, options.data_dir, options.cache_dir)
    folder = Path(options.output)
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "epochs.jsonl"
    for library in options.libraries:
        epochs = train(library, settings, data, num_devices, Console(stderr=True))
        row: dict[str, Any] = {
            "library": library,
            "dataset": data.name,
            "reviews": len(data.train),
            "padding": padding(settings, data) if library == "rnn_jax" else None,
            "epochs": [epoch._asdict() for epoch in epochs],
            "config": to_flat(settings),
            **origin(
                command_line("benchmark_epoch"),
                1 if library == "keras_jax" else num_devices,
                ("keras", "tensorflow", "tensorflow-cpu"),
            ),
        }
        replace_rows(file, load_epochs(file), [row], what)
    table = epochs_table(load_epochs(file))
    (folder / "epochs.md").write_text(table, encoding="utf-8")
    print(table, end="")
    return 0


if __name__ == "__main__":
    run(main)
