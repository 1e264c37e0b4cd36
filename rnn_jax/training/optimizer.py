"""How gradients become updates: clipping, Adam or RMSprop, and a learning rate that rises and falls."""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Literal, TypeAlias

import optax

# From the peak and the number of steps; where the learning rate falls, it ends at 0.
SCHEDULES: dict[str, Callable[[float, int], optax.Schedule]] = {
    "linear": lambda peak, steps: optax.linear_schedule(peak, 0.0, steps),
    "cosine": optax.cosine_decay_schedule,  # I. Loshchilov and F. Hutter, 2017, arXiv:1608.03983, no restarts
    "constant": lambda peak, steps: optax.constant_schedule(peak),
}

if TYPE_CHECKING:  # a type checker cannot know what the table holds
    ScheduleName: TypeAlias = str
else:  # choices that the command line shows and checks
    ScheduleName = Literal[tuple(SCHEDULES)]

OPTIMIZERS: dict[str, Callable[[optax.ScalarOrSchedule], optax.GradientTransformation]] = {
    "adam": optax.adam,  # D. Kingma and J. Ba, 2015, arXiv:1412.6980
    # T. Tieleman and G. Hinton, lecture 6.5 of "Neural Networks for Machine Learning", 2012; ε as in Keras.
    "rmsprop": partial(optax.rmsprop, decay=0.9, eps=1e-7),
}

if TYPE_CHECKING:  # a type checker cannot know what the table holds
    OptimizerName: TypeAlias = str
else:  # choices that the command line shows and checks
    OptimizerName = Literal[tuple(OPTIMIZERS)]


def make_schedule(learning_rate: float, total_steps: int, schedule: str, warm_up: float) -> optax.Schedule:
    """The learning rate of each step.

    Args:
        learning_rate: its peak.
        total_steps: when the schedule ends.
        schedule: how it falls from its peak, a name in `SCHEDULES`.
        warm_up: the share of all steps in which it rises linearly to its peak first. With a linear fall, that
            is the slanted triangle of J. Howard and S. Ruder, 2018, arXiv:1801.06146, which ends at a 32nd of
            its peak there.
    """
    rising = round(warm_up * total_steps)
    rate = SCHEDULES[schedule](learning_rate, total_steps - rising)
    if rising:
        rate = optax.join_schedules([optax.linear_schedule(0.0, learning_rate, rising), rate], [rising])
    return rate


def make_optimizer(
    rate: optax.Schedule, clip_norm: float, optimizer: str = "adam"
) -> optax.GradientTransformation:
    """An optimizer on gradients clipped by their global norm.

    Clipping keeps the exploding gradients of recurrent networks in bounds (R. Pascanu, T. Mikolov and
    Y. Bengio, 2013, arXiv:1211.5063).

    Args:
        rate: the learning rate of each step.
        clip_norm: the largest global norm of a gradient; 0 clips none.
        optimizer: a name in `OPTIMIZERS`.
    """
    clip = optax.clip_by_global_norm(clip_norm) if clip_norm else optax.identity()
    return optax.chain(clip, OPTIMIZERS[optimizer](rate))
