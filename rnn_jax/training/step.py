"""One step of training, and one of evaluation: pure functions, the same on one device and on many."""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import optax

from rnn_jax.cells.cell import Array
from rnn_jax.data.batches import Batch
from rnn_jax.models.dropout import make_keys
from rnn_jax.models.functional import ModelParams
from rnn_jax.training.gradients import AllReduce, Rows, gradients_in_parts, gradients_of
from rnn_jax.training.task import Carry, Mean, Outputs, Sums, Task, add, zeros

NORM = "gradient_norm"  # the mean over steps of the global norm of the gradient, before it is clipped


class TrainState(NamedTuple):
    """Everything that a step changes."""

    step: Array  # int32, steps taken; the position in the data and in the random stream
    failed: Array  # int32, steps taken before the first whose loss or gradient was not finite; -1 without one
    params: ModelParams
    average: ModelParams  # of the parameters of the last steps; what is evaluated and used
    optimizer: optax.OptState
    sums: Sums  # of the epoch so far
    carry: Carry  # the only part that is shared out like a batch; all else is replicated


def no_sums(task: Task) -> Sums:
    """The sums of an epoch before its first step."""
    return zeros((*task.metrics.names, NORM))


def init_state(
    task: Task, params: ModelParams, optimizer: optax.GradientTransformation, batch_size: int
) -> TrainState:
    """The state before the first step, for all rows of the global batch."""
    zero = jnp.zeros((), jnp.int32)
    carry = task.initial_carry(batch_size)
    return TrainState(zero, zero - 1, params, params, optimizer.init(params), no_sums(task), carry)


def train_step(
    state: TrainState,
    batch: Batch,
    key: Array,
    *,
    task: Task,
    optimizer: optax.GradientTransformation,
    average_decay: float,
    all_reduce: AllReduce,
    accumulate: int = 1,
) -> TrainState:
    """Takes one step on a batch, or on one device's rows of it.

    The loss is the mean over what the task counts in the global batch. Dropout keys are folded from `key`,
    the step and the row, so that they do not depend on how the batch is shared. The average of the parameters
    forgets by `average_decay` a step (B. Polyak and A. Juditsky, 1992, with exponential weights), and faster
    at first, so that it does not remember the initial draw. With `accumulate`, the rows are worked on in so
    many parts, which takes less memory and gives the same up to rounding.
    """
    rows = Rows(batch, state.carry, make_keys(jax.random.fold_in(key, state.step), batch.rows))
    if accumulate == 1:
        found = gradients_of(task, state.params, rows, all_reduce)
    else:
        found = gradients_in_parts(task, state.params, rows, all_reduce, accumulate)
    gradients, sums = all_reduce((found.gradients, found.sums))
    loss = sum(sums[name].total for name in task.metrics.minimised)
    norm = optax.tree.norm(gradients)
    finite = jnp.isfinite(loss) & jnp.isfinite(norm)
    failed = jnp.where(finite | (state.failed >= 0), state.failed, state.step)
    updates, optimizer_state = optimizer.update(gradients, state.optimizer, state.params)
    params = optax.apply_updates(state.params, updates)
    decay = jnp.minimum(average_decay, (1 + state.step) / (10 + state.step))
    average = optax.incremental_update(params, state.average, 1 - decay)
    sums = add(state.sums, sums | {NORM: Mean(norm, jnp.ones(()))})
    return TrainState(state.step + 1, failed, params, average, optimizer_state, sums, found.carry)


class EvaluationState(NamedTuple):
    """What a step of evaluation changes."""

    sums: Sums
    carry: Carry


def evaluation_step(
    state: EvaluationState,
    params: ModelParams,
    batch: Batch,
    *,
    task: Task,
    all_reduce: AllReduce,
    all_gather: Callable[[Outputs], Outputs],
) -> tuple[EvaluationState, Outputs]:
    """Adds a batch to the sums, without dropout; and the outputs for the global batch, `[B, ...]`."""
    sums, carry, outputs = task.evaluate(params, batch, state.carry)
    return EvaluationState(add(state.sums, all_reduce(sums)), carry), all_gather(outputs)
