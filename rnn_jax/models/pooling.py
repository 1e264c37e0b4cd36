"""From the outputs of a recurrent layer to one vector a sequence: `[B, T, F] -> [B, F]`, or wider."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias

import jax.numpy as jnp
from flax import nnx

from rnn_jax.cells.cell import Array
from rnn_jax.unroll import Directions, Unrolled
from rnn_jax.unroll.arguments import check_lengths
from rnn_jax.unroll.sequence import Lengths
from rnn_jax.unroll.steps import valid_steps


class Pooling(Protocol):
    """From the outputs of the steps that count to one vector a sequence, zeros where there are none."""

    def __call__(self, unrolled: Unrolled, lengths: Lengths, first: Array | None = None) -> Array:
        """The vector of each sequence.

        Args:
            unrolled: what a recurrent layer has made of the rows.
            lengths: how many steps of a row count, `[B]`.
            first: the first of them, `[B]`, where rows hold other sequences, too; step 0 by default.
        """


def last(unrolled: Unrolled, lengths: Lengths, first: Array | None = None) -> Array:
    """The outputs of the last layer when it has read all: forward at the end, backward at the beginning."""
    outputs, counts = unrolled.outputs, _counted(unrolled, lengths)
    begin = jnp.zeros_like(counts) if first is None else first
    at_end = _at(outputs, begin + jnp.maximum(counts - 1, 0))
    if isinstance(unrolled.state[-1], Directions):
        size = outputs.shape[-1] // 2
        at_end = jnp.concatenate([at_end[:, :size], _at(outputs, begin)[:, size:]], axis=-1)
    return at_end if first is None else jnp.where(counts[:, None] > 0, at_end, 0)


def mean(unrolled: Unrolled, lengths: Lengths, first: Array | None = None) -> Array:
    """The mean of the outputs over the steps that count."""
    outputs, counts = unrolled.outputs, _counted(unrolled, lengths)
    if first is not None:  # else what does not count is zero
        outputs = jnp.where(_steps(outputs, counts, first), outputs, 0)
    return outputs.sum(axis=1) / jnp.maximum(counts, 1)[:, None].astype(outputs.dtype)


def maximum(unrolled: Unrolled, lengths: Lengths, first: Array | None = None) -> Array:
    """The largest value of each feature over the steps that count."""
    outputs, counts = unrolled.outputs, _counted(unrolled, lengths)
    counted = jnp.where(_steps(outputs, counts, first), outputs, -jnp.inf)
    return jnp.where(counts[:, None] > 0, counted.max(axis=1, initial=-jnp.inf), 0)


def mean_max(unrolled: Unrolled, lengths: Lengths, first: Array | None = None) -> Array:
    """The mean and the maximum side by side: `[B, 2 F]`."""
    both = mean(unrolled, lengths, first), maximum(unrolled, lengths, first)
    return jnp.concatenate(both, axis=-1)


class Attention(nnx.Module):
    """A mean of the outputs whose weights are learnt: `[B, T, F], lengths [B] -> [B, F]`; zeros for length 0.

    α_t = softmax over the steps that count of v · tanh(W h_t + b). Paper: Z. Yang et al., "Hierarchical
    Attention Networks for Document Classification", NAACL 2016, equations 5 to 7, with F features in between.
    """

    def __init__(self, size: int, rngs: nnx.Rngs) -> None:
        self.hidden = nnx.Linear(size, size, rngs=rngs)
        self.context = nnx.Linear(size, 1, use_bias=False, rngs=rngs)

    def __call__(self, unrolled: Unrolled, lengths: Lengths, first: Array | None = None) -> Array:
        """The mean."""
        outputs = unrolled.outputs
        valid = _steps(outputs, _counted(unrolled, lengths), first)[..., 0]
        scores = self.context(jnp.tanh(self.hidden(outputs)))[..., 0]
        scores = jnp.where(valid, scores, jnp.finfo(scores.dtype).min)
        weights = jnp.where(valid, jnp.exp(scores - scores.max(axis=1, keepdims=True)), 0)
        total = weights.sum(axis=1, keepdims=True)  # at least 1, but 0 for length 0
        return jnp.einsum("bt,btf->bf", weights / jnp.maximum(total, 1), outputs)


def _counted(unrolled: Unrolled, lengths: Lengths) -> Array:
    """The lengths as int32 `[B]`, checked against the outputs."""
    return check_lengths(lengths, *unrolled.outputs.shape[:2])


def _steps(outputs: Array, counts: Array, first: Array | None) -> Array:
    """Which steps count, `[B, T, 1]`."""
    time = outputs.shape[1]
    if first is None:
        return valid_steps(counts, time)
    return valid_steps(first + counts, time) & ~valid_steps(first, time)


def _at(outputs: Array, steps: Array) -> Array:
    """The outputs of one step of each row: `[B, T, F], [B] -> [B, F]`."""
    return jnp.take_along_axis(outputs, steps[:, None, None], axis=1)[:, 0]


def _without_parameters(pooling: Pooling, vectors: int = 1) -> Callable[[int, nnx.Rngs], tuple[Pooling, int]]:
    return lambda size, rngs: (pooling, vectors * size)


# What makes a pooling, from the number of features F and the source of random weights, with the size of what
# it outputs.
POOLINGS: dict[str, Callable[[int, nnx.Rngs], tuple[Pooling, int]]] = {
    "last": _without_parameters(last),
    "mean": _without_parameters(mean),
    "max": _without_parameters(maximum),
    "mean_max": _without_parameters(mean_max, vectors=2),
    "attention": lambda size, rngs: (Attention(size, rngs), size),
}

if TYPE_CHECKING:  # a type checker cannot know what the table holds
    PoolingName: TypeAlias = str
else:  # choices that the command line shows and checks
    PoolingName = Literal[tuple(POOLINGS)]
