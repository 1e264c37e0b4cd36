"""The classifier: word vectors, a network that reads them, and a head of one logit, or of one a label."""

import jax
import jax.numpy as jnp
from flax import nnx

from rnn_jax.cells.cell import Array
from rnn_jax.data.batches import Spans
from rnn_jax.data.log_count_ratios import ratio_features
from rnn_jax.data.vocabulary import UNKNOWN
from rnn_jax.errors import UserError
from rnn_jax.models.dropout import Keys
from rnn_jax.models.embedding import EmbeddingSettings, embed
from rnn_jax.models.hashed_pairs import HashedPairs
from rnn_jax.models.networks import EncoderSettings
from rnn_jax.models.recurrent import PooledRecurrent
from rnn_jax.models.vector_classifier import VectorClassifier
from rnn_jax.unroll.steps import valid_steps


class Classifier(VectorClassifier):
    """Reads token indices and outputs the log-odds of the second of two labels, or a logit for each of K.

    `tokens [B, T], lengths [B] -> logits [B]`, or `[B, K]`; from vectors on, it is a `VectorClassifier`.
    """

    def __init__(
        self,
        embedding: EmbeddingSettings,
        encoder: EncoderSettings,
        *,
        vocabulary_size: int,
        max_length: int,
        num_labels: int = 2,
        log_count_ratios: int = 0,
        pair_buckets: int = 0,
        rngs: nnx.Rngs,
    ) -> None:
        size = embedding.embedding_size
        self.noise = embedding
        self.ratio_features = ratio_features(log_count_ratios)
        self.embedding = nnx.Embed(
            vocabulary_size, size, embedding_init=jax.nn.initializers.normal(0.05), rngs=rngs
        )
        super().__init__(
            encoder,
            input_size=size + self.ratio_features,
            max_length=max_length,
            num_labels=num_labels,
            rngs=rngs,
        )
        self.pair_buckets = pair_buckets
        if pair_buckets:
            self.pairs = HashedPairs(pair_buckets, size, rngs)

    def __call__(
        self,
        tokens: Array,
        lengths: Array,
        ratios: Array | None = None,
        *,
        keys: Keys | None = None,
        perturbation: Array | None = None,
        spans: Spans | None = None,
    ) -> Array:
        """The log-odds of sequences: `embed`, then `logits`."""
        return self.logits(self.embed(tokens, lengths, ratios, keys, perturbation), lengths, keys, spans)

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
        more = self.pairs if self.pair_buckets else None
        vectors = embed(self.embedding, tokens, self.noise, keys, unknown=UNKNOWN, more=more)
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
        inputs = self.embed(tokens[None], jnp.full(1, len(tokens)), ratios[None])[0]
        return self.layers.recurrent.gates(inputs)


def _root_mean_square(vectors: Array, lengths: Array) -> Array:
    """Over all features of the steps that count: `[B, T, E] -> [B, 1, 1]`."""
    valid = valid_steps(lengths, vectors.shape[1])
    squares = jnp.where(valid, vectors**2, 0).sum(axis=(1, 2))
    return jnp.sqrt(squares / (jnp.maximum(lengths, 1) * vectors.shape[-1]))[:, None, None]
