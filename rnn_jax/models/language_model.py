"""A language model: word vectors, recurrent layers, and the log-odds of the next token."""

import jax
import jax.numpy as jnp
from flax import nnx

from rnn_jax.cells import CELLS
from rnn_jax.cells.cell import Array, State
from rnn_jax.data.tokenizers import UNKNOWN
from rnn_jax.models.dropout import Keys, dropout
from rnn_jax.models.embedding import HEAD_DROPOUT, EmbeddingSettings, embed
from rnn_jax.models.recurrent import Recurrent, RecurrentSettings


class LanguageModel(nnx.Module):
    """Reads tokens and gives the log-odds of each token to come next.

    `tokens [B, T], lengths [B], state -> logits [B, T, V], state`. The state goes on from call to call.

    With `tied` weights the output layer has the word vectors for its weights (O. Press and L. Wolf, 2017,
    arXiv:1608.05859; H. Inan et al., 2017, arXiv:1611.01462), behind a linear layer where the sizes differ.

    Noise: that of `EmbeddingSettings` and `RecurrentSettings`, and dropout before the output layer, one mask
    for all steps of a call (S. Merity, N. Keskar and R. Socher, 2018, arXiv:1708.02182).
    """

    def __init__(
        self,
        embedding: EmbeddingSettings,
        recurrent: RecurrentSettings,
        *,
        vocabulary_size: int,
        tied: bool,
        precision: str = "float32",
        rngs: nnx.Rngs,
    ) -> None:
        size = embedding.embedding_size
        self.noise, self.dropout, self.precision = embedding, recurrent.dropout, precision
        self.embedding = nnx.Embed(
            vocabulary_size, size, embedding_init=jax.nn.initializers.normal(size**-0.5), rngs=rngs
        )
        self.recurrent = Recurrent(recurrent, size, rngs)
        outputs = self.recurrent.output_size
        self.tied = tied
        if tied:
            self.projection = nnx.Linear(outputs, size, rngs=rngs) if outputs != size else None
            self.bias = nnx.Param(jnp.zeros(vocabulary_size))
        else:
            self.head = nnx.Linear(outputs, vocabulary_size, rngs=rngs)

    def __call__(
        self, tokens: Array, lengths: Array, state: tuple[State, ...], keys: Keys | None = None
    ) -> tuple[Array, tuple[State, ...]]:
        """The log-odds of the tokens that come next, and the state to go on from; `keys` turn noise on."""
        vectors = embed(self.embedding, tokens, self.noise, keys, unknown=UNKNOWN)
        with jax.default_matmul_precision(self.precision):
            outputs, state = self.recurrent(vectors, lengths, state, keys)
            if keys is not None and self.dropout > 0:
                outputs = dropout(outputs, self.dropout, keys, HEAD_DROPOUT)
            return self.logits(outputs), state

    def logits(self, outputs: Array) -> Array:
        """From the outputs of the last layer to log-odds, `[..., H] -> [..., V]`."""
        if not self.tied:
            return self.head(outputs)
        projected = outputs if self.projection is None else self.projection(outputs)
        return self.embedding.attend(projected) + self.bias[...]

    def initial_state(self, batch_size: int) -> tuple[State, ...]:
        """The state before the first token."""
        cell = CELLS[self.recurrent.settings.cell]
        return tuple(cell.initial_state(layer, (batch_size,)) for layer in self.recurrent.params())
