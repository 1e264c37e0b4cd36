"""The networks that may lie between the vectors of the words and the head, by name."""

import dataclasses
from dataclasses import dataclass
from typing import Literal

from flax import nnx

from rnn_jax.models.bag import Bag
from rnn_jax.models.encoder import Encoder
from rnn_jax.models.pooling import PoolingName
from rnn_jax.models.recurrent import PooledRecurrent, Recurrent, RecurrentSettings
from rnn_jax.models.text_cnn import TextCNN
from rnn_jax.settings import require

SHARED = ("hidden_size", "dropout")  # which other networks have, too


@dataclass(frozen=True)
class EncoderSettings:
    """The network between word vectors and head."""

    network: Literal["recurrent", "cnn", "bag"] = "recurrent"
    """What is between the word vectors and the sigmoid; to compare with: a convolutional network, a bag."""
    recurrent: RecurrentSettings = RecurrentSettings()
    pooling: PoolingName = "max"
    """From the outputs of all steps to one vector a review."""
    precision: Literal["float32", "bfloat16"] = "float32"
    """Type that the factors of matrix products are rounded to; parameters, states and sums are float32."""

    def check(self) -> None:
        """Raises UserError for settings of recurrent layers where there are none."""
        if self.network == "recurrent":
            return
        for name, value in {**vars(self.recurrent), "pooling": self.pooling}.items():
            default = DEFAULTS[name]
            fits = name in SHARED or value == default
            require(fits, name, value, f"--network {self.network} has no such thing")


DEFAULTS = dataclasses.asdict(RecurrentSettings()) | {"pooling": EncoderSettings.pooling}


def make_encoder(settings: EncoderSettings, input_size: int, rngs: nnx.Rngs) -> Encoder:
    """The network for inputs `[B, T, input_size]`, with its initial weights."""
    if settings.network == "recurrent":
        recurrent = Recurrent(settings.recurrent, input_size, rngs)
        return PooledRecurrent(recurrent, settings.pooling, rngs)
    if settings.network == "cnn":
        return TextCNN(input_size, settings.recurrent.hidden_size, rngs)
    return Bag(input_size)
