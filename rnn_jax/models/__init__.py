"""The networks, as Flax NNX modules: layers, pooling, the classifier; its explanation; and NB-SVM."""

from rnn_jax.models.classifier import Classifier
from rnn_jax.models.embedding import EmbeddingSettings
from rnn_jax.models.networks import EncoderSettings
from rnn_jax.models.pooling import POOLINGS
from rnn_jax.models.recurrent import Recurrent, RecurrentSettings
from rnn_jax.models.summary import count_parameters, summarize

__all__ = [
    "POOLINGS",
    "Classifier",
    "EmbeddingSettings",
    "EncoderSettings",
    "Recurrent",
    "RecurrentSettings",
    "count_parameters",
    "summarize",
]
