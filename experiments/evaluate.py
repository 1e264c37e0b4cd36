"""Evaluates the best checkpoint of a run on one split of the reviews."""

from dataclasses import dataclass
from typing import Literal

from experiments.command_line import Place, parse, run
from rnn_jax.data import dataset as datasets
from rnn_jax.errors import UserError
from rnn_jax.training.compilation import keep_compiled_programs
from rnn_jax.training.evaluation import make_evaluator
from rnn_jax.training.parallel import set_up_devices
from rnn_jax.training.run_directory import RunDirectory
from rnn_jax.training.weights import best_weights


@dataclass(frozen=True)
class Options:
    """Evaluates the best checkpoint of a run."""

    workdir: Place
    """Directory of the run."""
    split: Literal["test", "validation", "train"] = "test"
    """Reviews to evaluate on."""
    data_dir: Place | None = None
    """TFDS directory; by default $TFDS_DATA_DIR, or ~/tensorflow_datasets."""
    cache_dir: Place | None = None
    """Where the encoded dataset is kept; by default beside the TFDS data."""
    num_devices: int | None = None
    """Devices of this host to use; by default all that can share a batch evenly."""


def main() -> None:
    """Prints loss and accuracy."""
    options = parse(Options)
    keep_compiled_programs()
    directory = RunDirectory(options.workdir)
    config = directory.read_config()
    num_devices = set_up_devices(options.num_devices, config.training.batch_size)
    params = best_weights(directory)
    data = datasets.load(config.text, options.data_dir, options.cache_dir)
    examples = getattr(data, options.split)
    if not len(examples):
        raise UserError(
            f"--split {options.split}: {options.workdir} was trained with --refit, which holds none out"
        )
    metrics = make_evaluator(config, examples.lengths, num_devices)(params, examples).metrics
    print(
        f"{data.name} {options.split}: accuracy {metrics.accuracy:.2%}, loss {metrics.mean_loss:.4f}, "
        f"{int(metrics.examples):,} reviews"
    )


if __name__ == "__main__":
    run(main, end_with_reader=True)
