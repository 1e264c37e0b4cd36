"""The weights that a run has come to, for use or for a new start."""

import jax

from rnn_jax.errors import UserError
from rnn_jax.models.functional import ModelParams, split
from rnn_jax.training.checkpoints import Checkpoints
from rnn_jax.training.optimizer import make_optimizer
from rnn_jax.training.run_directory import RunDirectory
from rnn_jax.training.step import init_state


def best_weights(directory: RunDirectory) -> ModelParams:
    """The weights of the best epoch so far, as NumPy arrays.

    Raises:
        UserError: if the directory holds no run, no checkpoint of a whole epoch, or one that cannot be read.
    """
    config = directory.read_config()
    if not directory.checkpoints.is_dir():
        raise UserError(f"{directory.path} holds no checkpoint: train it first")
    _, init_params = split(config.make_model)
    optimizer = make_optimizer(config.learning_rate, 1, config.clip_norm)
    like = jax.device_get(init_state(init_params(), optimizer))
    with Checkpoints(directory.checkpoints) as checkpoints:
        if checkpoints.best_step is None:
            raise UserError(f"{directory.path} holds no checkpoint of a whole epoch yet: let the run go on")
        return checkpoints.restore(checkpoints.best_step, like).state.average
