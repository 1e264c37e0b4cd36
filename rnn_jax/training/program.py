"""A configuration as something that runs: the network, its optimizer, and the training step on devices."""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from rnn_jax.cells.cell import Array
from rnn_jax.data.batches import Batch
from rnn_jax.models.functional import Apply, ModelParams, split
from rnn_jax.training.config import Config
from rnn_jax.training.optimizer import make_optimizer
from rnn_jax.training.parallel import DataParallel, all_reduce
from rnn_jax.training.step import TrainState, init_state, train_step


class Program(NamedTuple):
    """What it takes to train.

    Attributes:
        parallel: the devices.
        apply: the network as a function of its parameters.
        init_params: draws its initial parameters.
        init_state: the state before the first step, from parameters.
        step: one step on replicas of a state: `(state, batch, key) -> state`; the first is donated.
    """

    parallel: DataParallel
    apply: Apply
    init_params: Callable[[], ModelParams]
    init_state: Callable[[ModelParams], TrainState]
    step: Callable[[TrainState, Batch, Array], TrainState]


def make_program(config: Config, total_steps: int, num_devices: int) -> Program:
    """The program of a configuration, for so many devices of this host; nothing is compiled yet."""
    apply, init_params = split(config.make_model)
    training = config.training
    optimizer = make_optimizer(
        training.learning_rate,
        total_steps,
        training.clip_norm,
        training.schedule,
        training.warm_up,
        training.optimizer,
    )
    parallel = DataParallel(num_devices, training.batch_size)
    step = partial(
        train_step,
        apply=apply,
        optimizer=optimizer,
        average_decay=training.average_decay,
        adversarial=config.adversarial,
        all_reduce=all_reduce,
    )
    return Program(
        parallel,
        apply,
        init_params,
        partial(init_state, optimizer=optimizer),
        parallel.map(step, in_axes=(0, 0, None)),
    )
