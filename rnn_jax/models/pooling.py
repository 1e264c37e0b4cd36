"""From the outputs of a recurrent layer to one vector a sequence: `[B, T, F] -> [B, F]`."""

from collections.abc import Callable

import jax.numpy as jnp

from rnn_jax.cells.cell import Array
from rnn_jax.unroll import Directions, Unrolled

Pooling = Callable[[Unrolled, Array], Array]


def last(unrolled: Unrolled, lengths: Array) -> Array:
    """What the last layer puts out when it has read all: forward at the end, backward at the beginning.

    Zeros for length 0.
    """
    outputs = unrolled.outputs
    ends = jnp.maximum(lengths - 1, 0)[:, None, None]
    at_end = jnp.take_along_axis(outputs, ends, axis=1)[:, 0]
    if not isinstance(unrolled.state[-1], Directions):
        return at_end
    size = outputs.shape[-1] // 2
    return jnp.concatenate([at_end[:, :size], outputs[:, 0, size:]], axis=-1)


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
