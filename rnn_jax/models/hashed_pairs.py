"""Vectors of word pairs, of which there are too many for a table of their own."""

import jax
import jax.numpy as jnp
from flax import nnx

from rnn_jax.cells.cell import Array


class HashedPairs(nnx.Module):
    """A vector for each pair of words in a row, shared by pairs that fall into one bucket.

    `tokens [B, T] -> [B, T, D]`: at each step the vector of the pair that ends there; zeros at the first.
    """

    def __init__(self, buckets: int, size: int, rngs: nnx.Rngs) -> None:
        self.buckets = buckets
        self.vectors = nnx.Embed(buckets, size, embedding_init=jax.nn.initializers.normal(0.05), rngs=rngs)

    def __call__(self, tokens: Array) -> Array:
        """The vectors."""
        words = tokens.astype(jnp.uint32)
        # Multiplicative hashing by odd constants; the high bits depend on all the low ones.
        mixed = (words[:, :-1] * jnp.uint32(2654435761)) ^ (words[:, 1:] * jnp.uint32(2246822519))
        mixed = (mixed ^ (mixed >> 15)) * jnp.uint32(2654435761)
        found = self.vectors(((mixed >> 8) % self.buckets).astype(jnp.int32))
        return jnp.pad(found, ((0, 0), (1, 0), (0, 0)))
