"""The networks, as Flax NNX modules: layers, pooling, the classifier; its explanation; and NB-SVM."""

from rnn_jax.models.classifier import Classifier
from rnn_jax.models.pooling import POOLINGS
from rnn_jax.models.recurrent import Recurrent
from rnn_jax.models.summary import count_parameters, summarize

__all__ = ["POOLINGS", "Classifier", "Recurrent", "count_parameters", "summarize"]
