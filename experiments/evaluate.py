"""Evaluates the best checkpoint of a run on one split of the reviews."""

import sys
from dataclasses import dataclass
from typing import Literal

from rich.console import Console

from experiments.command_line import parse, run
from rnn_jax.data import dataset
from rnn_jax.training.loop import Run, best_params
from rnn_jax.training.parallel import set_up_devices
from rnn_jax.training.run_directory import RunDirectory


@dataclass(frozen=True)
class Options:
    """Evaluates the best checkpoint of a run."""

    workdir: str
    """Directory of the run."""
    split: Literal["test", "validation", "train"] = "test"
    """Reviews to evaluate on."""
    data_dir: str | None = None
    """TFDS directory; by default $TFDS_DATA_DIR, or ~/tensorflow_datasets."""
    cache_dir: str | None = None
    """Where the encoded data set is kept; by default beside the TFDS data."""
    num_devices: int | None = None
    """Devices of this host to use; by default all that can share a batch evenly."""


def main() -> None:
    """Prints loss and accuracy."""
    options = parse(Options)
    directory = RunDirectory(options.workdir)
    config = directory.read_config()
    num_devices = set_up_devices(options.num_devices, config.batch_size)
    data = dataset.load(
        config.dataset,
        vocabulary_size=config.vocabulary_size,
        max_length=config.max_length,
        truncate=config.truncate,
        train_examples=config.train_examples,
        data_dir=options.data_dir,
        cache_dir=options.cache_dir,
    )
    params = best_params(directory, config)
    this = Run(
        config, data, directory, num_devices=num_devices, log_every=1, save_every=1, console=Console()
    )
    metrics = this.evaluate(params, getattr(data, options.split))
    print(
        f"{data.name} {options.split}: accuracy {metrics.accuracy:.2%}, "
        f"loss {metrics.mean_loss:.4f}, {int(metrics.count):,} reviews",
        file=sys.stdout,
    )


if __name__ == "__main__":
    run(main)
