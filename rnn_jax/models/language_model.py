"""A language model: word vectors, recurrent layers, and the log-odds of the next token."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from flax import nnx

from rnn_jax.cells.cell import Array, State
from rnn_jax.data.tokenizers import UNKNOWN
from rnn_jax.models.dropout import Keys, dropout
from rnn_jax.models.embedding import HEAD_DROPOUT, SOFTMAX_SAMPLES, EmbeddingSettings, embed
from rnn_jax.models.recurrent import Recurrent, RecurrentSettings
from rnn_jax.models.softmax import (
    Output,
    draw_log_uniform,
    log_uniform,
    sampled_softmax_losses,
    softmax_losses,
)
from rnn_jax.unroll.steps import valid_steps


class Losses(NamedTuple):
    """The losses of each step of a batch, in D directions, and the state that the batch ends with."""

    values: Array  # [D, B, T], in nats
    counted: Array  # bool [D, B, T]: padding does not count, nor the token that nothing comes before
    state: Any


class LanguageModel(nnx.Module):
    """Reads tokens and gives the log-odds of each token to come next.

    `tokens [B, T], lengths [B], state -> logits [B, T, V], state`. The state goes on from call to call.

    With `tied` weights the output layer has the word vectors for its weights (O. Press and L. Wolf, 2017,
    arXiv:1608.05859; H. Inan et al., 2017, arXiv:1611.01462), behind a linear layer where the sizes differ.

    A bidirectional layer is two language models in one: what reads forward predicts the next token, what
    reads backward the one before, and both share word vectors and output layer (M. Peters et al., 2018,
    arXiv:1802.05365). A layer above it would read what it is to predict, so that there is one at most.

    The bias of the output layer is initialised with the log-probabilities of Zipf's law, `log_uniform`, as
    tokens are sorted by frequency. Adam moves a weight by about the learning rate a step: from zero, it would
    take thousands of steps until frequent tokens are told from rare ones.

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
        size, hidden = embedding.embedding_size, recurrent.hidden_size
        self.noise, self.dropout, self.precision = embedding, recurrent.dropout, precision
        self.embedding = nnx.Embed(
            vocabulary_size, size, embedding_init=jax.nn.initializers.normal(size**-0.5), rngs=rngs
        )
        self.recurrent = Recurrent(recurrent, size, rngs)
        self.directions = 2 if recurrent.bidirectional else 1
        self.tied = tied
        zipf = log_uniform(jnp.arange(vocabulary_size), vocabulary_size)
        if not tied:
            self.head = nnx.Linear(hidden, vocabulary_size, bias_init=lambda *_: zipf, rngs=rngs)
            return
        self.projection = nnx.Linear(hidden, size, rngs=rngs) if hidden != size else None
        self.bias = nnx.Param(zipf)
        if recurrent.bidirectional and hidden != size:
            self.backward_projection = nnx.Linear(hidden, size, rngs=rngs)

    def __call__(
        self, tokens: Array, lengths: Array, state: tuple[State, ...] | None
    ) -> tuple[Array, tuple[State, ...]]:
        """The log-odds of the tokens that come next, and the state to go on from."""
        with jax.default_matmul_precision(self.precision):
            (hidden, *_), state = self._hidden(tokens, lengths, state, None)
            output = self._output()
            return hidden @ output.kernel.T + output.bias, state

    def losses(
        self,
        tokens: Array,
        targets: Array,
        lengths: Array,
        state: tuple[State, ...] | None = None,
        keys: Keys | None = None,
        samples: int = 0,
        resets: Array | None = None,
    ) -> Losses:
        """The cross-entropy of the tokens that come next, and before where it reads backward.

        Args:
            tokens: what is read, `[B, T]`.
            targets: the token after each, `[B, T]`.
            lengths: `[B]`.
            state: to go on from; nothing has been read by default.
            keys: turn noise on, as in training.
            samples: tokens of a sampled softmax; 0: all. Needs keys.
            resets: where another text begins, `[B, T]`; see `rnn_jax.unroll.Unroll`.
        """
        with jax.default_matmul_precision(self.precision):
            hidden, state = self._hidden(tokens, lengths, state, keys, resets)
            before = jnp.pad(tokens[:, :-1], [(0, 0), (1, 0)])
            wanted = jnp.stack([targets, before][: self.directions])
            values = self._losses(jnp.stack(hidden), wanted, keys, samples)
        steps = valid_steps(lengths, tokens.shape[1])[..., 0]
        counted = jnp.stack([steps, steps.at[:, 0].set(False)][: self.directions])
        return Losses(values, counted, state)

    def _hidden(
        self,
        tokens: Array,
        lengths: Array,
        state: tuple[State, ...] | None,
        keys: Keys | None,
        resets: Array | None = None,
    ) -> tuple[list[Array], tuple[State, ...]]:
        """What the output layer reads, `[B, T, E]` or `[B, T, H]`, a direction each."""
        vectors = embed(self.embedding, tokens, self.noise, keys, unknown=UNKNOWN)
        outputs, state = self.recurrent(vectors, lengths, state, keys, resets)
        outputs = dropout(outputs, self.dropout, keys, HEAD_DROPOUT)
        hidden = jnp.split(outputs, self.directions, axis=-1)
        if self.projections:
            hidden = [layer(each) for layer, each in zip(self.projections, hidden, strict=True)]
        return hidden, state

    @property
    def projections(self) -> list[nnx.Linear]:
        """From the outputs of each direction to the size of a word vector, where the sizes differ."""
        if not self.tied or self.projection is None:
            return []
        return [self.projection, *([self.backward_projection] if self.directions > 1 else [])]

    def _output(self) -> Output:
        if self.tied:
            return Output(self.embedding.embedding[...], self.bias[...])
        bias = self.head.bias
        assert bias is not None
        return Output(self.head.kernel[...].T, bias[...])

    def _losses(self, hidden: Array, targets: Array, keys: Keys | None, samples: int) -> Array:
        output = self._output()
        rows, wanted = hidden.reshape(-1, hidden.shape[-1]), targets.ravel()
        if samples == 0:
            return softmax_losses(output, rows, wanted).reshape(targets.shape)
        assert keys is not None
        key = jax.random.fold_in(keys.shared, SOFTMAX_SAMPLES)
        drawn = draw_log_uniform(key, samples, len(output.bias))
        return sampled_softmax_losses(output, rows, wanted, drawn).reshape(targets.shape)

    def initial_state(self, batch_size: int) -> tuple[State, ...]:
        """The state before the first token."""
        return self.recurrent.initial_state(batch_size)
