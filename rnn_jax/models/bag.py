"""A bag of words, to compare recurrent networks with; and hashed vectors of word pairs."""

import jax
import jax.numpy as jnp
from flax import nnx

from rnn_jax.cells.cell import Array
from rnn_jax.models.dropout import Keys
from rnn_jax.models.encoder import Part


class Bag(nnx.Module):
    """The mean of the vectors: `x [B, T, D], lengths [B] -> [B, D]`; zeros for length 0.

    A. Joulin et al., "Bag of Tricks for Efficient Text Classification", EACL 2017 (fastText), where word
    vectors and, by `HashedPairs`, those of word pairs are averaged.

    Attributes:
        output_size: D.
    """

    def __init__(self, input_size: int) -> None:
        self.output_size = input_size

    def __call__(self, x: Array, lengths: Array, *, keys: Keys | None = None) -> Array:
        """The mean; there is no noise of its own."""
        valid = (jnp.arange(x.shape[1]) < lengths[:, None])[..., None]
        return jnp.where(valid, x, 0).sum(axis=1) / jnp.maximum(lengths, 1)[:, None]

    def parts(self, x: jax.ShapeDtypeStruct, lengths: jax.ShapeDtypeStruct) -> list[Part]:
        """What it is made of, for inputs of these shapes."""
        return [Part("mean over time", jax.eval_shape(self, x, lengths), None)]


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
