"""From the outputs of a recurrent layer to one vector a sequence: `[B, T, F] -> [B, F]`."""

from collections.abc import Callable

import jax.numpy as jnp

from rnn_jax.cells.cell import Array
from rnn_jax.unroll import Directions, Unrolled

Pooling = Callable[[Unrolled, Array], Array]


def last(unrolled: Unrolled, lengths: Array) -> Array:
    """What the last layer holds after its last step: the forward half's end, the backward half's beginning.

    A sequence of length 0 gives its initial state.
    """
    del lengths  # the state already is the one after each sequence's own last step
    state = unrolled.state[-1]
    if isinstance(state, Directions):
        return jnp.concatenate([state.forward.hidden, state.backward.hidden], axis=-1)
    return state.hidden


def mean(unrolled: Unrolled, lengths: Array) -> Array:
    """The mean of the outputs over the steps that count; zeros for length 0."""
    return unrolled.outputs.sum(axis=1) / jnp.maximum(lengths, 1)[:, None]


def maximum(unrolled: Unrolled, lengths: Array) -> Array:
    """The largest value of each feature over the steps that count; zeros for length 0."""
    outputs = unrolled.outputs
    valid = jnp.arange(outputs.shape[1]) < lengths[:, None]
    largest = jnp.where(valid[..., None], outputs, -jnp.inf).max(axis=1, initial=-jnp.inf)
    return jnp.where(lengths[:, None] > 0, largest, 0)


POOLINGS: dict[str, Pooling] = {"last": last, "mean": mean, "max": maximum}
