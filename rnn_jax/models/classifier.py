"""The sentiment classifier: embedding, recurrent layers and pooling, sigmoid."""

import jax
import jax.numpy as jnp
from flax import nnx

from rnn_jax.cells import CELLS
from rnn_jax.cells.cell import Array
from rnn_jax.data.log_count_ratios import ratio_features
from rnn_jax.errors import UserError
from rnn_jax.models.bag import Bag
from rnn_jax.models.dropout import Keys, dropout, vocabulary_dropout, word_dropout
from rnn_jax.models.encoder import Encoder
from rnn_jax.models.hashed_pairs import HashedPairs
from rnn_jax.models.recurrent import Noise, PooledRecurrent, Recurrent
from rnn_jax.models.text_cnn import TextCNN
from rnn_jax.unroll import UNROLLS
from rnn_jax.unroll.sequence import valid_steps

WORD_DROPOUT, EMBEDDING_DROPOUT, HEAD_DROPOUT, VOCABULARY_DROPOUT = range(4)  # random streams


class Classifier(nnx.Module):
    """Reads token indices and outputs the log-odds that a review is positive.

    `tokens [B, T], lengths [B] -> logits [B]`; the sigmoid of a logit is the probability. Products are of
    `precision`, a name that `jax.default_matmul_precision` knows; parameters, states and sums are float32.

    `network` is `recurrent`, or one to compare with: `cnn` with `hidden_size` features a width, or `bag`.
    """

    def __init__(
        self,
        *,
        network: str = "recurrent",
        cell: str,
        unroll: str = "dynamic",
        vocabulary_size: int,
        embedding_size: int,
        pair_buckets: int = 0,
        log_count_ratios: int = 0,
        hidden_size: int,
        num_layers: int = 1,
        bidirectional: bool = False,
        dense: bool = False,
        pooling: str = "last",
        word_dropout: float = 0.0,
        vocabulary_dropout: float = 0.0,
        embedding_dropout: float = 0.0,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        weight_dropout: float = 0.0,
        zoneout: float = 0.0,
        precision: str = "float32",
        rngs: nnx.Rngs,
    ) -> None:
        self.word_dropout = word_dropout
        self.vocabulary_dropout = vocabulary_dropout
        self.embedding_dropout = embedding_dropout
        self.dropout = dropout
        self.precision = precision
        self.ratio_features = ratio_features(log_count_ratios)
        self.embedding = nnx.Embed(
            vocabulary_size, embedding_size, embedding_init=jax.nn.initializers.normal(0.05), rngs=rngs
        )
        input_size = embedding_size + self.ratio_features
        self.layers: Encoder
        if network == "recurrent":
            recurrent = Recurrent(
                CELLS[cell],
                input_size,
                hidden_size,
                num_layers=num_layers,
                bidirectional=bidirectional,
                dense=dense,
                noise=Noise(dropout, recurrent_dropout, weight_dropout, zoneout),
                unroll=UNROLLS[unroll],
                rngs=rngs,
            )
            self.layers = PooledRecurrent(cell, recurrent, pooling, rngs)
        elif network == "cnn":
            self.layers = TextCNN(input_size, hidden_size, rngs)
        else:
            self.layers = Bag(input_size)
        self.head = nnx.Linear(self.layers.output_size, 1, rngs=rngs)
        if pair_buckets:
            self.pairs = HashedPairs(pair_buckets, embedding_size, rngs)
        self.pair_buckets = pair_buckets

    def __call__(
        self,
        tokens: Array,
        lengths: Array,
        ratios: Array | None = None,
        *,
        keys: Keys | None = None,
        perturbation: Array | None = None,
    ) -> Array:
        """The log-odds of sequences: `embed`, then `logits`."""
        return self.logits(self.embed(tokens, lengths, ratios, keys, perturbation), lengths, keys)

    def embed(
        self,
        tokens: Array,
        lengths: Array,
        ratios: Array | None = None,
        keys: Keys | None = None,
        perturbation: Array | None = None,
    ) -> Array:
        """From words to vectors, `[B, T, D]`.

        Args:
            tokens: `[B, T]`, anything beyond the lengths.
            lengths: `[B]`.
            ratios: `[B, T, F]`, put beside the word vectors, for a network that reads log-count ratios.
            keys: turn noise on, as in training.
            perturbation: `[B, T, E]`, added to the word vectors, in units of the root mean square of those of
                the same sequence.
        """
        if keys is not None and self.word_dropout > 0:
            tokens = word_dropout(tokens, self.word_dropout, keys, WORD_DROPOUT)
        vectors = self.embedding(tokens)
        if keys is not None and self.vocabulary_dropout > 0:
            words = self.embedding.num_embeddings
            vectors = vocabulary_dropout(
                vectors, tokens, words, self.vocabulary_dropout, keys, VOCABULARY_DROPOUT
            )
        if self.pair_buckets:
            vectors += self.pairs(tokens)
        if keys is not None and self.embedding_dropout > 0:
            vectors = dropout(vectors, self.embedding_dropout, keys, EMBEDDING_DROPOUT)
        if perturbation is not None:
            vectors += perturbation * jax.lax.stop_gradient(_root_mean_square(vectors, lengths))
        return vectors if ratios is None else jnp.concatenate([vectors, ratios], axis=-1)

    def gates(self, tokens: Array, ratios: Array) -> dict[str, Array]:
        """The gates of the first recurrent layer over one review, `tokens [T] -> {name: [T, H]}`.

        Raises:
            UserError: if the network has none, or its cell does not say what they are.
        """
        if not isinstance(self.layers, PooledRecurrent):
            raise UserError("this network has no gates: train a recurrent one")
        inputs = self.embed(tokens[None], jnp.full(1, len(tokens)), ratios[None])
        return self.layers.recurrent.gates(inputs[0])

    def logits(self, inputs: Array, lengths: Array, keys: Keys | None = None) -> Array:
        """From vectors to log-odds, `[B]`; `keys` turn noise on."""
        with jax.default_matmul_precision(self.precision):
            encoded = self.layers(inputs, lengths, keys=keys)
            if keys is not None and self.dropout > 0:
                encoded = dropout(encoded, self.dropout, keys, HEAD_DROPOUT)
            return self.head(encoded)[:, 0]


def _root_mean_square(vectors: Array, lengths: Array) -> Array:
    """Over all features of the steps that count: `[B, T, E] -> [B, 1, 1]`."""
    valid = valid_steps(lengths, vectors.shape[1])
    squares = jnp.where(valid, vectors**2, 0).sum(axis=(1, 2))
    return jnp.sqrt(squares / (jnp.maximum(lengths, 1) * vectors.shape[-1]))[:, None, None]
