"""A bag of words, to compare recurrent networks with."""

import jax
import jax.numpy as jnp
from flax import nnx

from rnn_jax.cells.cell import Array
from rnn_jax.models.dropout import Keys
from rnn_jax.models.encoder import Part
from rnn_jax.unroll.arguments import check_lengths
from rnn_jax.unroll.steps import valid_steps


class Bag(nnx.Module):
    """The mean of the vectors: `x [B, T, D], lengths [B] -> [B, D]`; zeros for length 0.

    A. Joulin et al., "Bag of Tricks for Efficient Text Classification", EACL 2017 (fastText), where word
    vectors and, by `HashedPairs`, those of word pairs are averaged. Variant: the sum of both is divided by
    the number of words, and not by that of words and pairs; it is trained as the other networks are, by Adam
    with dropout.

    Attributes:
        output_size: D.
    """

    def __init__(self, input_size: int) -> None:
        self.output_size = input_size

    def __call__(self, x: Array, lengths: Array, *, keys: Keys | None = None) -> Array:
        """The mean; there is no noise of its own."""
        lengths = check_lengths(lengths, *x.shape[:2])
        valid = valid_steps(lengths, x.shape[1])
        return jnp.where(valid, x, 0).sum(axis=1) / jnp.maximum(lengths, 1)[:, None].astype(x.dtype)

    def parts(self, x: jax.ShapeDtypeStruct, lengths: jax.ShapeDtypeStruct) -> list[Part]:
        """What it is made of, for inputs of these shapes."""
        return [Part("mean over time", jax.eval_shape(self, x, lengths), None)]
