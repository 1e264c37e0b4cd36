"""A task and its settings as something that runs: the optimizer, and the training step on devices."""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import optax

from rnn_jax.cells.cell import Array
from rnn_jax.data.batches import Batch
from rnn_jax.models.functional import ModelParams
from rnn_jax.settings import require
from rnn_jax.training.optimizer import make_optimizer, make_schedule
from rnn_jax.training.parallel import DataParallel, all_reduce
from rnn_jax.training.settings import TrainingSettings
from rnn_jax.training.step import TrainState, init_state, train_step
from rnn_jax.training.task import Task
from rnn_jax.training.transfer import hold

STEP_AXES = (0, 0, None)  # of the arguments of a step, over devices


class Program(NamedTuple):
    """What it takes to train.

    Attributes:
        rate: the learning rate of each step.
        parallel: the devices.
        init_state: the state before the first step, from parameters.
        step: one step on a state that is on the devices: `(state, batch, key) -> state`; the first is
            donated.
    """

    rate: optax.Schedule
    parallel: DataParallel
    init_state: Callable[[ModelParams], TrainState]
    step: Callable[[TrainState, Batch, Array], TrainState]


class Work(NamedTuple):
    """What each device does, wherever it is; see `Program`."""

    rate: optax.Schedule
    init_state: Callable[[ModelParams], TrainState]
    step: Callable[[TrainState, Batch, Array], TrainState]  # for use inside a mapped function


def make_work(task: Task, settings: TrainingSettings, total_steps: int) -> Work:
    """The work of a task."""
    rate = make_schedule(settings.learning_rate, total_steps, settings.schedule, settings.warm_up)
    optimizer = make_optimizer(rate, settings.clip_norm, settings.optimizer)
    if settings.freeze_epochs or settings.pretrained_rate != 1:
        frozen = total_steps // settings.epochs * settings.freeze_epochs
        optimizer = optax.chain(optimizer, hold(task.parts, frozen, settings.pretrained_rate))
    step = partial(
        train_step,
        task=task,
        optimizer=optimizer,
        average_decay=settings.average_decay,
        all_reduce=all_reduce,
        accumulate=settings.accumulate,
    )
    return Work(rate, lambda params: init_state(task, params, optimizer, settings.batch_size), step)


def make_program(task: Task, settings: TrainingSettings, total_steps: int, num_devices: int) -> Program:
    """The program of a task, for so many devices of this host; nothing is compiled yet."""
    rate, init, step = make_work(task, settings, total_steps)
    parallel = DataParallel(num_devices, settings.batch_size)
    own, parts = len(parallel.rows) // num_devices, settings.accumulate
    require(own % parts == 0, "accumulate", parts, f"cannot share the {own} examples of a device evenly")
    return Program(rate, parallel, init, parallel.map(step, in_axes=STEP_AXES))
