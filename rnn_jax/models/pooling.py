"""From the outputs of a recurrent layer to one vector a sequence: `[B, T, F] -> [B, F]`, or wider."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias

import jax
import jax.numpy as jnp
from flax import nnx

from rnn_jax.cells.cell import Array
from rnn_jax.data.batches import Spans
from rnn_jax.unroll import Directions, Unrolled
from rnn_jax.unroll.arguments import check_lengths
from rnn_jax.unroll.sequence import Lengths
from rnn_jax.unroll.steps import valid_steps


class Pooling(Protocol):
    """From the outputs of the steps that count to one vector a sequence, zeros where there are none."""

    def __call__(self, unrolled: Unrolled, lengths: Lengths, spans: Spans | None = None) -> Array:
        """The vector of each sequence, `[B, F]`, or `[B, K, F]` where rows hold several.

        Args:
            unrolled: what a recurrent layer has made of the rows.
            lengths: how many steps of a row count, `[B]`.
            spans: where in a row each of several sequences lies; one a row, from step 0, by default.
        """


def last(unrolled: Unrolled, lengths: Lengths, spans: Spans | None = None) -> Array:
    """The outputs of the last layer when it has read all: forward at the end, backward at the beginning."""
    outputs, counts = unrolled.outputs, _counted(unrolled, lengths)
    first, own = (jnp.zeros_like(counts)[:, None], counts[:, None]) if spans is None else spans
    at_end = _at(outputs, first + jnp.maximum(own - 1, 0))
    if isinstance(unrolled.state[-1], Directions):
        size = outputs.shape[-1] // 2
        at_end = jnp.concatenate([at_end[..., :size], _at(outputs, first)[..., size:]], axis=-1)
    return at_end[:, 0] if spans is None else jnp.where(own[..., None] > 0, at_end, 0)


def mean(unrolled: Unrolled, lengths: Lengths, spans: Spans | None = None) -> Array:
    """The mean of the outputs over the steps that count."""
    outputs, counts = unrolled.outputs, _counted(unrolled, lengths)
    if spans is not None:
        inside = _inside(outputs, spans).astype(outputs.dtype)
        sums = jnp.einsum("bkt,btf->bkf", inside, outputs, precision=jax.lax.Precision.HIGHEST)
        return sums / jnp.maximum(spans.lengths, 1)[..., None].astype(outputs.dtype)
    return outputs.sum(axis=1) / jnp.maximum(counts, 1)[:, None].astype(outputs.dtype)


def maximum(unrolled: Unrolled, lengths: Lengths, spans: Spans | None = None) -> Array:
    """The largest value of each feature over the steps that count."""
    outputs, counts = unrolled.outputs, _counted(unrolled, lengths)
    if spans is not None:
        return _largest(outputs, spans)
    counted = jnp.where(valid_steps(counts, outputs.shape[1]), outputs, -jnp.inf)
    return jnp.where(counts[:, None] > 0, counted.max(axis=1, initial=-jnp.inf), 0)


def mean_max(unrolled: Unrolled, lengths: Lengths, spans: Spans | None = None) -> Array:
    """The mean and the maximum side by side: `[B, 2 F]`."""
    both = mean(unrolled, lengths, spans), maximum(unrolled, lengths, spans)
    return jnp.concatenate(both, axis=-1)


class Attention(nnx.Module):
    """A mean of the outputs whose weights are learnt: `[B, T, F], lengths [B] -> [B, F]`; zeros for length 0.

    α_t = softmax over the steps that count of v · tanh(W h_t + b). Paper: Z. Yang et al., "Hierarchical
    Attention Networks for Document Classification", NAACL 2016, equations 5 to 7, with F features in between.
    """

    def __init__(self, size: int, rngs: nnx.Rngs) -> None:
        self.hidden = nnx.Linear(size, size, rngs=rngs)
        self.context = nnx.Linear(size, 1, use_bias=False, rngs=rngs)

    def __call__(self, unrolled: Unrolled, lengths: Lengths, spans: Spans | None = None) -> Array:
        """The mean."""
        outputs, counts = unrolled.outputs, _counted(unrolled, lengths)
        scores = self.context(jnp.tanh(self.hidden(outputs)))[..., 0]
        if spans is None:
            valid = valid_steps(counts, outputs.shape[1])[..., 0]
        else:
            valid, scores = _inside(outputs, spans), scores[:, None]
        scores = jnp.where(valid, scores, jnp.finfo(scores.dtype).min)
        weights = jnp.where(valid, jnp.exp(scores - scores.max(axis=-1, keepdims=True)), 0)
        total = weights.sum(axis=-1, keepdims=True)  # at least 1, but 0 for length 0
        return jnp.einsum("b...t,btf->b...f", weights / jnp.maximum(total, 1), outputs)


def _counted(unrolled: Unrolled, lengths: Lengths) -> Array:
    """The lengths as int32 `[B]`, checked against the outputs."""
    return check_lengths(lengths, *unrolled.outputs.shape[:2])


def _at(outputs: Array, steps: Array) -> Array:
    """The outputs of some steps of each row: `[B, N, F], [B, M] -> [B, M, F]`."""
    return jnp.take_along_axis(outputs, steps[..., None], axis=1)


def _inside(outputs: Array, spans: Spans) -> Array:
    """Which steps each sequence of a row has, bool `[B, K, T]`."""
    steps, first = jnp.arange(outputs.shape[1]), spans.first[..., None]
    return (steps >= first) & (steps < first + spans.lengths[..., None])


@jax.custom_vjp
def _largest(outputs: Array, spans: Spans) -> Array:
    """The largest value of each feature in each sequence of a row, `[B, K, F]`; zeros where there is none.

    Its derivative goes over the outputs once, not once a sequence; all that are as large as the largest have
    it.
    """
    inside = _inside(outputs, spans)[..., None]
    counted = [jnp.where(inside[:, k], outputs, -jnp.inf).max(axis=1) for k in range(inside.shape[1])]
    return jnp.where(spans.lengths[..., None] > 0, jnp.stack(counted, axis=1), 0)


def _largest_forward(outputs: Array, spans: Spans) -> tuple[Array, Any]:
    found = _largest(outputs, spans)
    return found, (outputs, spans, found)


def _largest_backward(kept: Any, gradient: Array) -> tuple[Array, Spans]:
    outputs, spans, found = kept
    inside = _inside(outputs, spans)
    own = inside.argmax(axis=1)  # the sequence of each step, [B, T]
    is_largest = inside.any(axis=1)[..., None] & (outputs == _at(found, own))
    return jnp.where(is_largest, _at(gradient, own), 0), Spans(None, None)


_largest.defvjp(_largest_forward, _largest_backward)


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
