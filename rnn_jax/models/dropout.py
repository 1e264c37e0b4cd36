"""Dropout whose masks belong to examples, not to devices.

Every row of the global batch has a random key of its own, so that a mask does not depend on how many
devices share the batch, and a run can be moved.
"""

import jax
import jax.numpy as jnp

from rnn_jax.cells.cell import Array
from rnn_jax.data.vocabulary import UNKNOWN


def row_keys(key: Array, rows: Array) -> Array:
    """A key for each row, from the number of the row in the global batch: `rows [B] -> keys [B]`."""
    return jax.vmap(lambda row: jax.random.fold_in(key, row))(rows)


def _bernoulli(keys: Array, rate: float, shape: tuple[int, ...], stream: int) -> Array:
    """Where to drop, `[B, *shape]`; `stream` keeps the masks of different places apart."""
    draw = lambda key: jax.random.bernoulli(jax.random.fold_in(key, stream), rate, shape)  # noqa: E731
    return jax.vmap(draw)(keys)


def dropout(x: Array, rate: float, keys: Array, stream: int) -> Array:
    """Zeroes features with probability `rate` and scales the others by 1 / (1 - rate).

    `x` is `[B, F]`, or `[B, T, F]`, which gets one mask for all steps. N. Srivastava et al., "Dropout", JMLR
    15 (2014); one mask for all steps: Y. Gal and Z. Ghahramani, 2016, arXiv:1512.05287.
    """
    dropped = _bernoulli(keys, rate, x.shape[-1:], stream)
    if x.ndim == 3:
        dropped = dropped[:, None, :]
    return jnp.where(dropped, 0, x / (1 - rate)).astype(x.dtype)


def word_dropout(tokens: Array, rate: float, keys: Array, stream: int) -> Array:
    """Makes tokens unknown with probability `rate`: `tokens [B, T]`.

    M. Iyyer et al., "Deep Unordered Composition Rivals Syntactic Methods for Text Classification", ACL 2015;
    here the word becomes unknown instead of vanishing, so that lengths stay.
    """
    return jnp.where(_bernoulli(keys, rate, tokens.shape[1:], stream), UNKNOWN, tokens)
