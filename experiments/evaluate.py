"""Evaluates the best checkpoint of a run, whatever its task, on one split of its dataset."""

from dataclasses import dataclass
from typing import Literal

from experiments.command_line import Place, parse, run
from rnn_jax.errors import UserError
from rnn_jax.tasks import recipe_of
from rnn_jax.training.compilation import keep_compiled_programs
from rnn_jax.training.evaluation import make_evaluator
from rnn_jax.training.parallel import set_up_devices
from rnn_jax.training.progress import figure
from rnn_jax.training.recipe import Places
from rnn_jax.training.run_directory import RunDirectory
from rnn_jax.training.weights import open_run


@dataclass(frozen=True)
class Options:
    """Evaluates the best checkpoint of a run."""

    workdir: Place
    """Directory of the run."""
    split: Literal["test", "validation", "train"] = "test"
    """Examples to evaluate on."""
    data_dir: Place | None = None
    """TFDS directory; by default $TFDS_DATA_DIR, or ~/tensorflow_datasets."""
    cache_dir: Place | None = None
    """Where the encoded dataset is kept; by default beside the TFDS data."""
    num_devices: int | None = None
    """Devices of this host to use; by default all that can share a batch evenly."""


def main() -> None:
    """Prints the figures of the task."""
    options = parse(Options)
    keep_compiled_programs()
    recipe = recipe_of(options.workdir)
    settings = RunDirectory(options.workdir).read(recipe.name, recipe.settings)
    batch_size = settings.training.batch_size
    num_devices = set_up_devices(options.num_devices, batch_size)  # before JAX starts
    opened = open_run(options.workdir, recipe)
    data = recipe.load(settings, Places(options.data_dir, options.cache_dir))
    split = getattr(data, options.split)
    if not len(split):
        raise UserError(
            f"--split {options.split}: {options.workdir} was trained with --refit, which holds none out"
        )
    found = make_evaluator(opened.task, batch_size, num_devices)(opened.params, split).figures
    shown = ", ".join(figure(name, value, 4) for name, value in found.items())
    print(f"{data.name} {options.split}: {shown}, {len(split):,} {data.unit}")


if __name__ == "__main__":
    run(main, end_with_reader=True)
