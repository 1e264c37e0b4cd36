"""One step of training, and one of evaluation: pure functions, the same on one device and on many."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax

from rnn_jax.cells.cell import Array
from rnn_jax.data.batches import Batch
from rnn_jax.models.dropout import make_keys
from rnn_jax.models.functional import Apply, ModelParams
from rnn_jax.training.adversarial import adversarial_gradients
from rnn_jax.training.metrics import Metrics

AllReduce = Callable[[Any], Any]  # adds a tree up over all devices that share a batch


class TrainState(NamedTuple):
    """Everything that a step changes."""

    step: Array  # int32, steps taken; the position in the data and in the random stream
    failed: Array  # int32, steps taken before the first whose loss or gradient was not finite; -1 without one
    params: ModelParams
    average: ModelParams  # of the parameters of the last steps; what is evaluated and used
    optimizer: optax.OptState
    metrics: Metrics  # of the epoch so far


def init_state(params: ModelParams, optimizer: optax.GradientTransformation) -> TrainState:
    """The state before the first step."""
    zero = jnp.zeros((), jnp.int32)
    return TrainState(zero, zero - 1, params, params, optimizer.init(params), Metrics.zero())


def train_step(
    state: TrainState,
    batch: Batch,
    key: Array,
    *,
    apply: Apply,
    optimizer: optax.GradientTransformation,
    average_decay: float,
    adversarial: float = 0.0,
    all_reduce: AllReduce,
) -> TrainState:
    """Takes one step on a batch, or on one device's rows of it.

    The loss is the mean over the global batch. Dropout keys are folded from `key`, the step and the row, so
    that they do not depend on how the batch is shared. The average of the parameters forgets by
    `average_decay` a step (B. Polyak and A. Juditsky, 1992, with exponential weights), and faster at first,
    so that it does not remember the initial draw. `adversarial` is the radius of adversarial training; see
    `rnn_jax.training.adversarial`.
    """
    keys = make_keys(jax.random.fold_in(key, state.step), batch.rows)
    count = jnp.maximum(all_reduce(batch.weights.sum()), 1)

    def loss(params: ModelParams, perturbation: Array | None) -> tuple[Array, Metrics]:
        logits = apply(
            params, batch.tokens, batch.lengths, batch.ratios, keys=keys, perturbation=perturbation
        )
        metrics = Metrics.of(logits, batch.labels, batch.weights)
        return metrics.loss / count, metrics

    if adversarial:
        still = jnp.zeros((*batch.tokens.shape, state.params["embedding"]["embedding"].shape[-1]))
        gradients, metrics = adversarial_gradients(loss, state.params, still, adversarial)
    else:
        gradients, metrics = jax.grad(loss, has_aux=True)(state.params, None)
    gradients, metrics = all_reduce((gradients, metrics))
    finite = jnp.isfinite(metrics.loss) & jnp.isfinite(optax.tree.norm(gradients))
    failed = jnp.where(finite | (state.failed >= 0), state.failed, state.step)
    updates, optimizer_state = optimizer.update(gradients, state.optimizer, state.params)
    params = optax.apply_updates(state.params, updates)
    decay = jnp.minimum(average_decay, (1 + state.step) / (10 + state.step))
    average = optax.incremental_update(params, state.average, 1 - decay)
    return TrainState(state.step + 1, failed, params, average, optimizer_state, state.metrics + metrics)


def evaluation_step(
    metrics: Metrics,
    params: ModelParams,
    batch: Batch,
    *,
    apply: Apply,
    all_reduce: AllReduce,
    all_gather: Callable[[Array], Array],
) -> tuple[Metrics, Array]:
    """Adds a batch to the metrics, without dropout; and the logits of the global batch, `[B]`."""
    logits = apply(params, batch.tokens, batch.lengths, batch.ratios)
    return metrics + all_reduce(Metrics.of(logits, batch.labels, batch.weights)), all_gather(logits)
