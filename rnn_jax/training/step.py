"""One step of training, and one of evaluation: pure functions, the same on one device and on many."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax

from rnn_jax.cells.cell import Array
from rnn_jax.data.batches import Batch
from rnn_jax.models.dropout import make_keys
from rnn_jax.models.functional import ModelParams
from rnn_jax.training.task import Carry, Outputs, Sums, Task, add, zeros

AllReduce = Callable[[Any], Any]  # adds a tree up over all devices that share a batch


class TrainState(NamedTuple):
    """Everything that a step changes."""

    step: Array  # int32, steps taken; the position in the data and in the random stream
    failed: Array  # int32, steps taken before the first whose loss or gradient was not finite; -1 without one
    params: ModelParams
    average: ModelParams  # of the parameters of the last steps; what is evaluated and used
    optimizer: optax.OptState
    sums: Sums  # of the epoch so far
    carry: Carry  # the only part that is shared out like a batch; all else is replicated


def init_state(
    task: Task, params: ModelParams, optimizer: optax.GradientTransformation, batch_size: int
) -> TrainState:
    """The state before the first step, for all rows of the global batch."""
    zero = jnp.zeros((), jnp.int32)
    carry = task.initial_carry(batch_size)
    return TrainState(
        zero, zero - 1, params, params, optimizer.init(params), zeros(task.metrics.names), carry
    )


def train_step(
    state: TrainState,
    batch: Batch,
    key: Array,
    *,
    task: Task,
    optimizer: optax.GradientTransformation,
    average_decay: float,
    all_reduce: AllReduce,
) -> TrainState:
    """Takes one step on a batch, or on one device's rows of it.

    The loss is the mean over what the task counts in the global batch. Dropout keys are folded from `key`,
    the step and the row, so that they do not depend on how the batch is shared. The average of the parameters
    forgets by `average_decay` a step (B. Polyak and A. Juditsky, 1992, with exponential weights), and faster
    at first, so that it does not remember the initial draw.
    """
    keys = make_keys(jax.random.fold_in(key, state.step), batch.rows)

    def objective(params: ModelParams, *perturbation: Array) -> tuple[Array, tuple[Sums, Carry]]:
        sums, carry = task.loss(params, batch, state.carry, keys, *perturbation)
        minimised = [sums[name] for name in task.metrics.minimised]
        means = [mean.total / jnp.maximum(all_reduce(mean.number), 1) for mean in minimised]
        return sum(means, jnp.zeros(())), (sums, carry)

    gradients, (sums, carry) = task.gradients(objective, state.params, batch)
    gradients, sums = all_reduce((gradients, sums))
    loss = sum(sums[name].total for name in task.metrics.minimised)
    finite = jnp.isfinite(loss) & jnp.isfinite(optax.tree.norm(gradients))
    failed = jnp.where(finite | (state.failed >= 0), state.failed, state.step)
    updates, optimizer_state = optimizer.update(gradients, state.optimizer, state.params)
    params = optax.apply_updates(state.params, updates)
    decay = jnp.minimum(average_decay, (1 + state.step) / (10 + state.step))
    average = optax.incremental_update(params, state.average, 1 - decay)
    return TrainState(state.step + 1, failed, params, average, optimizer_state, add(state.sums, sums), carry)


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
