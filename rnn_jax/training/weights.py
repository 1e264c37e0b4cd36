"""The weights that a run has come to, for use or for a new start."""

from pathlib import Path
from typing import Any, NamedTuple

import jax

from rnn_jax.errors import UserError
from rnn_jax.models.functional import ModelParams
from rnn_jax.settings import with_flat
from rnn_jax.training.checkpoints import Checkpoint, Checkpoints
from rnn_jax.training.recipe import Preprocessor, Recipe, Settings
from rnn_jax.training.run_directory import RunDirectory
from rnn_jax.training.task import Task


def best_weights(directory: RunDirectory, task: Task) -> ModelParams:
    """The weights of the best epoch so far, as NumPy arrays; the run may be going on.

    Raises:
        UserError: as `read_best`.
    """
    return read_best(directory, task)[0]


def read_best(directory: RunDirectory, task: Task) -> tuple[ModelParams, str]:
    """These weights, and the fingerprint of what was learnt from.

    Raises:
        UserError: if the directory holds no checkpoint of a whole epoch, or none that can be read.
    """
    like = Checkpoint(None, jax.device_get(task.init()), {})
    found = Checkpoints(directory.checkpoints).read(like)
    if found is None:
        raise UserError(f"{directory.path} holds no checkpoint: train it first")
    if found.best is None:
        raise UserError(f"{directory.path} holds no checkpoint of a whole epoch yet: let the run go on")
    return found.best, found.progress.get("data", "")


class Opened(NamedTuple):
    """A run, ready to be used."""

    settings: Settings
    preprocessor: Preprocessor
    task: Task
    params: ModelParams  # the best weights
    fingerprint: str = ""  # of what it has learnt from, where that may change


def open_run(workdir: str | Path, recipe: Recipe, **neutral: Any) -> Opened:
    """Opens the run in a directory; no dataset is needed.

    Args:
        workdir: the directory.
        recipe: of its task.
        neutral: settings that change no result, by name, to be used in place of the recorded ones.

    Raises:
        UserError: if the directory holds no run, one of another task, or no weights.
    """
    directory = RunDirectory(workdir)
    settings = with_flat(directory.read(recipe.name, recipe.settings), **neutral)
    preprocessor = recipe.preprocessor(settings, directory.path)
    task = recipe.make(settings, preprocessor)
    return Opened(settings, preprocessor, task, *read_best(directory, task))
