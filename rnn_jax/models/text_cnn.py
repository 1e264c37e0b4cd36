"""A convolutional network for sentences, to compare recurrent networks with."""

import jax
import jax.numpy as jnp
from flax import nnx

from rnn_jax.cells.cell import Array
from rnn_jax.models.dropout import Keys
from rnn_jax.models.encoder import Part
from rnn_jax.unroll.arguments import check_lengths
from rnn_jax.unroll.steps import valid_steps

WIDTHS = (3, 4, 5)  # words that a filter sees


class TextCNN(nnx.Module):
    """Filters over a few words in a row, each at its strongest: `x [B, T, D], lengths [B] -> [B, 3 F]`.

    For each width w of 3, 4 and 5, F features: c_t = relu(W · x_{t..t+w-1} + b), and their largest over time.
    Zeros follow a sequence, so that its last words are seen, too; length 0 gives 0.

    Y. Kim, "Convolutional Neural Networks for Sentence Classification", EMNLP 2014: CNN-rand, the variant
    whose word vectors are learnt from scratch, without the bound on the norm of the head's weights.

    Attributes:
        output_size: 3 F.
    """

    def __init__(self, input_size: int, features: int, rngs: nnx.Rngs) -> None:
        self.output_size = len(WIDTHS) * features
        self.filters = nnx.List(
            [
                nnx.Conv(input_size, features, (width,), padding=[(0, width - 1)], rngs=rngs)
                for width in WIDTHS
            ]
        )

    def __call__(self, x: Array, lengths: Array, *, keys: Keys | None = None) -> Array:
        """The features; there is no noise of their own."""
        valid = valid_steps(check_lengths(lengths, *x.shape[:2]), x.shape[1])
        x = jnp.where(valid, x, 0)
        # relu and max can change places, and zeros win over no feature that is above zero.
        strongest = [jnp.where(valid, filters(x), 0).max(axis=1, initial=0) for filters in self.filters]
        return jnp.concatenate(strongest, axis=-1)

    def parts(self, x: jax.ShapeDtypeStruct, lengths: jax.ShapeDtypeStruct) -> list[Part]:
        """What it is made of, for inputs of these shapes."""
        layers = [
            Part(f"convolution, {width} words wide", jax.eval_shape(filters, x), filters)
            for width, filters in zip(WIDTHS, self.filters, strict=True)
        ]
        return [*layers, Part("relu, max over time", jax.eval_shape(self, x, lengths), None)]
