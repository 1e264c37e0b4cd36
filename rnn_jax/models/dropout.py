"""Dropout whose masks belong to examples, not to devices.

Every row of the global batch has a random key of its own, so that a mask does not depend on how many
devices share the batch, and a run can be moved.
"""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp

from rnn_jax.cells.cell import Array


class Keys(NamedTuple):
    """The random keys of a training step."""

    examples: Array  # [B], a key an example, for what is drawn for each
    shared: Array  # the same for all examples on all devices, for what is drawn for the weights


def make_keys(key: Array, rows: Array) -> Keys:
    """The keys of a step, from its own and from the numbers of the rows `[B]` in the global batch."""
    fold = partial(jax.random.fold_in, key)
    return Keys(jax.vmap(fold)(rows), fold(2**32 - 1))  # there is no such row


def redrawn(keys: Keys, stream: int) -> Keys:
    """Keys for another draw of all that is drawn from these."""
    fold = partial(jax.random.fold_in, data=stream)
    return Keys(jax.vmap(fold)(keys.examples), fold(keys.shared))


def of_parts(keys: Keys, count: int) -> Keys:
    """Keys for the parts of each example, so many of each: `[B count]`."""
    parts = jax.vmap(lambda key: jax.vmap(partial(jax.random.fold_in, key))(jnp.arange(count)))
    return keys._replace(examples=parts(keys.examples).reshape(-1))


def _bernoulli(key: Array, rate: float, shape: tuple[int, ...], stream: int) -> Array:
    """Where to drop; `stream` keeps the masks of different places apart.

    Drawn in float32, so that `jax_enable_x64` does not change the masks.
    """
    return jax.random.bernoulli(jax.random.fold_in(key, stream), jnp.float32(rate), shape)


def _bernoulli_rows(keys: Keys, rate: float, shape: tuple[int, ...], stream: int) -> Array:
    """Where to drop in each row, `[B, *shape]`."""
    return jax.vmap(lambda key: _bernoulli(key, rate, shape, stream))(keys.examples)


def dropout(x: Array, rate: float, keys: Keys | None, stream: int) -> Array:
    """Zeroes features with probability `rate` and scales the others by 1 / (1 - rate); none without keys.

    `x` is `[B, F]`, or `[B, T, F]`, which gets one mask for all steps. N. Srivastava et al., "Dropout", JMLR
    15 (2014); one mask for all steps: Y. Gal and Z. Ghahramani, 2016, arXiv:1512.05287, there for the inputs
    of a recurrent layer.
    """
    if keys is None or rate == 0:
        return x
    dropped = _bernoulli_rows(keys, rate, x.shape[-1:], stream)
    if x.ndim == 3:
        dropped = dropped[:, None, :]
    return jnp.where(dropped, 0, x / (1 - rate)).astype(x.dtype)


def weight_dropout(weights: Array, rate: float, keys: Keys, stream: int) -> Array:
    """Zeroes weights with probability `rate`, the same for all rows, and scales the others by 1 / (1 - rate).

    L. Wan et al., "Regularization of Neural Networks using DropConnect", ICML 2013; of recurrent weights, one
    mask for all steps: S. Merity, N. Keskar and R. Socher, 2018, arXiv:1708.02182.
    """
    dropped = _bernoulli(keys.shared, rate, weights.shape, stream)
    return jnp.where(dropped, 0, weights / (1 - rate)).astype(weights.dtype)


def vocabulary_dropout(
    vectors: Array, tokens: Array, vocabulary_size: int, rate: float, keys: Keys, stream: int
) -> Array:
    """Zeroes the vectors of some words, wherever they occur, and scales the others by 1 / (1 - rate).

    The rows of the embedding are dropped, each with probability `rate`: the embedding dropout of Y. Gal and
    Z. Ghahramani, 2016, arXiv:1512.05287. Variant: one mask for all examples of a step, as in S. Merity, N.
    Keskar and R. Socher, 2018, arXiv:1708.02182.

    Args:
        vectors: `[B, T, E]`, those of the words.
        tokens: the words, `[B, T]`, from 0 to below `vocabulary_size`.
        vocabulary_size: how many words there are.
        rate: the probability.
        keys: of the step.
        stream: keeps this mask apart from others.
    """
    dropped = _bernoulli(keys.shared, rate, (vocabulary_size,), stream)
    return jnp.where(dropped[tokens][..., None], 0, vectors / (1 - rate)).astype(vectors.dtype)


def word_dropout(tokens: Array, rate: float, keys: Keys, stream: int, unknown: int) -> Array:
    """Makes tokens unknown with probability `rate`: `tokens [B, T]`; `unknown` is what they become.

    M. Iyyer et al., "Deep Unordered Composition Rivals Syntactic Methods for Text Classification", ACL 2015;
    here the word becomes unknown instead of vanishing, so that lengths stay.
    """
    return jnp.where(_bernoulli_rows(keys, rate, tokens.shape[1:], stream), unknown, tokens)
