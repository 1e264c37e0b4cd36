"""All inputs side by side, to compare recurrent networks with."""

import jax
import jax.numpy as jnp

from rnn_jax.cells.cell import Array
from rnn_jax.models.dropout import Keys
from rnn_jax.models.encoder import Part
from rnn_jax.unroll.arguments import check_lengths
from rnn_jax.unroll.steps import valid_steps


class Flat:
    """The inputs of all steps as one vector: `x [B, T, D], lengths [B] -> [B, L D]`, zeros where padded.

    With a head of one layer, that is logistic regression on all that there is to read.

    Attributes:
        output_size: L D, of the longest sequences, of L steps.
    """

    def __init__(self, input_size: int, max_length: int) -> None:
        self.max_length = max_length
        self.output_size = max_length * input_size

    def __call__(self, x: Array, lengths: Array, *, keys: Keys | None = None) -> Array:
        """The vector; there is no noise of its own."""
        valid = valid_steps(check_lengths(lengths, *x.shape[:2]), x.shape[1])
        padded = jnp.pad(jnp.where(valid, x, 0), [(0, 0), (0, self.max_length - x.shape[1]), (0, 0)])
        return padded.reshape(len(x), -1)

    def parts(self, x: jax.ShapeDtypeStruct, lengths: jax.ShapeDtypeStruct) -> list[Part]:
        """What it is made of, for inputs of these shapes."""
        return [Part("all steps side by side", jax.eval_shape(self, x, lengths), None)]
