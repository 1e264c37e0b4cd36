"""From words to vectors: how large they are, and what is dropped of them in training."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

from flax import nnx

from rnn_jax.cells.cell import Array
from rnn_jax.models.dropout import Keys, dropout, vocabulary_dropout, word_dropout
from rnn_jax.settings import Rate, above

# Random streams.
WORD_DROPOUT, EMBEDDING_DROPOUT, HEAD_DROPOUT, VOCABULARY_DROPOUT, SOFTMAX_SAMPLES, SIGN, AGAIN = range(7)


@dataclass(frozen=True)
class EmbeddingSettings:
    """Word vectors."""

    embedding_size: Annotated[int, above(0)] = 32
    """Size of a word's vector."""
    word_dropout: Rate = 0.3
    """Probability that a word is made unknown in training."""
    vocabulary_dropout: Rate = 0.0
    """Embedding dropout: probability that a word's vector is dropped, wherever the word occurs in a step."""
    embedding_dropout: Rate = 0.3
    """Variational dropout of the word vectors: probability that a feature is dropped, for all steps alike."""


def embed(
    table: nnx.Embed,
    tokens: Array,
    settings: EmbeddingSettings,
    keys: Keys | None,
    *,
    unknown: int,
    more: Callable[[Array], Array] | None = None,
) -> Array:
    """From tokens to vectors, `[B, T] -> [B, T, E]`.

    Args:
        table: the vectors of all tokens.
        tokens: `[B, T]`.
        settings: what is dropped.
        keys: turn noise on, as in training.
        unknown: what a dropped word becomes.
        more: further vectors of the tokens, added to theirs.
    """
    if keys is not None and settings.word_dropout > 0:
        tokens = word_dropout(tokens, settings.word_dropout, keys, WORD_DROPOUT, unknown)
    vectors = table(tokens)
    if keys is not None and settings.vocabulary_dropout > 0:
        size, rate = table.num_embeddings, settings.vocabulary_dropout
        vectors = vocabulary_dropout(vectors, tokens, size, rate, keys, VOCABULARY_DROPOUT)
    if more is not None:
        vectors += more(tokens)
    return dropout(vectors, settings.embedding_dropout, keys, EMBEDDING_DROPOUT)
