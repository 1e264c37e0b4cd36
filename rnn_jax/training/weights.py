"""The weights that a run has come to, for use or for a new start."""

import jax

from rnn_jax.errors import UserError
from rnn_jax.models.functional import ModelParams, split
from rnn_jax.training.checkpoints import Checkpoint, Checkpoints
from rnn_jax.training.run_directory import RunDirectory


def best_weights(directory: RunDirectory) -> ModelParams:
    """The weights of the best epoch so far, as NumPy arrays; the run may be going on.

    Raises:
        UserError: if the directory holds no run, no checkpoint of a whole epoch, or none that can be read.
    """
    config = directory.read_config()
    _, init_params = split(config.make_model)
    found = Checkpoints(directory.checkpoints).read(Checkpoint(None, jax.device_get(init_params()), {}))
    if found is None:
        raise UserError(f"{directory.path} holds no checkpoint: train it first")
    if found.best is None:
        raise UserError(f"{directory.path} holds no checkpoint of a whole epoch yet: let the run go on")
    return found.best
