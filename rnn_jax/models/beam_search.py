"""Beam search: the likeliest text that a decoder may write, of those that are followed side by side."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from rnn_jax.cells.cell import Array

Step = Callable[[Array, Any], tuple[Array, Any]]
IMPOSSIBLE = -1e9


class Beams(NamedTuple):
    """K texts for each of B examples, so far."""

    texts: Array  # int32 [B, K, L], `end` behind the end
    scores: Array  # [B, K], log-probabilities
    ended: Array  # bool [B, K]
    state: Any  # leaves [B K, ...]
    length: Array  # tokens so far


def beam_search(step: Step, state: Any, examples: int, *, beams: int, end: int, most: int) -> Array:
    """The texts of the highest mean log-probability that are found, `[B, most]`, `end` from their ends on.

        score(y) = Σ_t log p(y_t | y_1, …, y_{t-1}) / T,    the end counts

    Y. Wu et al., 2016, arXiv:1609.08144, section 7. Variant: divided by T itself, and no penalty for what has
    not been read.

    Args:
        step: `(tokens [N], state) -> (log-probabilities [N, V], state)`, the token to come after these.
        state: before the first token, leaves `[B, ...]`.
        examples: B.
        beams: K, the texts that are kept of each at every step; 1 takes the likeliest token.
        end: the token that a text ends with, and the one before its first.
        most: tokens that are written at most.
    """

    def again(leaf: Array) -> Array:
        return jnp.repeat(leaf, beams, axis=0)

    def go_on(found: Beams) -> Array:
        return (found.length < most) & ~found.ended.all()

    def write(found: Beams) -> Beams:
        at = jnp.maximum(found.length - 1, 0)
        before = jnp.where(found.length > 0, jax.lax.dynamic_index_in_dim(found.texts, at, 2, False), end)
        logs, state = step(before.reshape(-1), found.state)
        size = logs.shape[-1]
        logs = logs.reshape(examples, beams, size)
        only_end = jnp.where(jnp.arange(size) == end, 0.0, IMPOSSIBLE)
        logs = jnp.where(found.ended[..., None], only_end, logs)
        totals = (found.scores[..., None] + logs).reshape(examples, -1)
        scores, chosen = jax.lax.top_k(totals, beams)
        origin, token = chosen // size, (chosen % size).astype(jnp.int32)
        rows = (jnp.arange(examples)[:, None] * beams + origin).reshape(-1)
        texts = jnp.take_along_axis(found.texts, origin[..., None], axis=1)
        return Beams(
            jax.lax.dynamic_update_index_in_dim(texts, token, found.length, 2),
            scores,
            jnp.take_along_axis(found.ended, origin, axis=1) | (token == end),
            jax.tree.map(lambda leaf: leaf[rows], state),
            found.length + 1,
        )

    first = jnp.full((examples, beams), IMPOSSIBLE).at[:, 0].set(0.0)  # at first they are all the same
    begun = Beams(
        jnp.full((examples, beams, most), end, jnp.int32),
        first,
        jnp.zeros((examples, beams), bool),
        jax.tree.map(again, state),
        jnp.int32(0),
    )
    found = jax.lax.while_loop(go_on, write, begun)
    written = jnp.minimum((found.texts != end).sum(axis=-1) + 1, most)  # the end counts
    best = (found.scores / written).argmax(axis=-1)
    return jnp.take_along_axis(found.texts, best[:, None, None], axis=1)[:, 0]
