"""A classifier of sequences of vectors: a network that reads them, and a head."""

import jax
from flax import nnx

from rnn_jax.cells.cell import Array
from rnn_jax.data.batches import Spans
from rnn_jax.models.dropout import Keys, dropout, of_parts
from rnn_jax.models.embedding import HEAD_DROPOUT
from rnn_jax.models.networks import EncoderSettings, make_encoder
from rnn_jax.models.recurrent import PooledRecurrent


class VectorClassifier(nnx.Module):
    """Reads vectors and outputs the log-odds of the second of two labels, or a logit for each of K.

    `x [B, T, D], lengths [B] -> logits [B]`, whose sigmoid is a probability; with more than two labels
    `[B, K]`, whose softmax is. Products are of `precision`, a name that `jax.default_matmul_precision` knows;
    parameters, states and sums are float32.
    """

    def __init__(
        self,
        encoder: EncoderSettings,
        *,
        input_size: int,
        max_length: int,
        num_labels: int,
        rngs: nnx.Rngs,
    ) -> None:
        self.dropout = encoder.recurrent.dropout
        self.precision = encoder.precision
        self.layers = make_encoder(encoder, input_size, max_length, rngs)
        self.num_labels = num_labels
        self.head = nnx.Linear(self.layers.output_size, 1 if num_labels == 2 else num_labels, rngs=rngs)

    def logits(
        self, inputs: Array, lengths: Array, keys: Keys | None = None, spans: Spans | None = None
    ) -> Array:
        """From vectors to log-odds, `[B]`, or to the logits of K labels, `[B, K]`; `keys` turn noise on.

        Where rows hold several sequences, as `spans` say, there are as many of them, those of a row together.
        """
        with jax.default_matmul_precision(self.precision):
            if spans is None:
                encoded = self.layers(inputs, lengths, keys=keys)
            else:
                assert isinstance(self.layers, PooledRecurrent)
                encoded = self.layers(inputs, lengths, keys=keys, spans=spans)
                keys = keys and of_parts(keys, spans.lengths.shape[1])
            encoded = dropout(encoded, self.dropout, keys, HEAD_DROPOUT)
            logits = self.head(encoded)
            return logits[:, 0] if self.num_labels == 2 else logits
