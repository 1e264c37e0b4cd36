"""From words to vectors: how large they are, and what is dropped of them in training."""

from dataclasses import dataclass
from typing import Annotated

from rnn_jax.settings import Rate, above


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
