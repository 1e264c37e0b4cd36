"""The networks that may lie between the inputs of all steps and the head, by name."""

import dataclasses
from dataclasses import dataclass
from typing import Literal

from flax import nnx

from rnn_jax.models.bag import Bag
from rnn_jax.models.encoder import Encoder
from rnn_jax.models.flat import Flat
from rnn_jax.models.pooling import PoolingName
from rnn_jax.models.recurrent import PooledRecurrent, Recurrent, RecurrentSettings
from rnn_jax.models.text_cnn import TextCNN
from rnn_jax.settings import require

SHARED = ("hidden_size", "dropout")  # which other networks have, too


@dataclass(frozen=True)
class EncoderSettings:
    """The network between inputs and head."""

    network: Literal["recurrent", "cnn", "bag", "flat"] = "recurrent"
    """What is between the inputs of all steps and the head; to compare with: a convolutional network; a bag,
    their mean; flat, nothing, so that the head reads all of them (logistic regression)."""
    recurrent: RecurrentSettings = RecurrentSettings()
    pooling: PoolingName = "max"
    """From the outputs of all steps to one vector a sequence."""
    precision: Literal["float32", "bfloat16"] = "float32"
    """Type that the factors of matrix products are rounded to; parameters, states and sums are float32."""

    def check(self) -> None:
        """Raises UserError for settings that do not go together, or are of layers that are not there."""
        if self.network == "recurrent":
            mixed = self.recurrent.bidirectional and self.recurrent.block == "residual"
            words = "residual blocks mix both directions, whose ends are not at one step: another pooling"
            require(self.pooling != "last" or not mixed, "pooling", self.pooling, words)
            return
        for name, value in {**vars(self.recurrent), "pooling": self.pooling}.items():
            default = DEFAULTS[name]
            fits = name in SHARED or value == default
            require(
                fits,
                name,
                value,
                f"--network {self.network} has no such thing: take a preset of that network",
            )


DEFAULTS = dataclasses.asdict(RecurrentSettings()) | {"pooling": EncoderSettings.pooling}


def make_encoder(settings: EncoderSettings, input_size: int, max_length: int, rngs: nnx.Rngs) -> Encoder:
    """The network for inputs `[B, T, input_size]`, T at most `max_length`, with its initial weights."""
    if settings.network == "recurrent":
        recurrent = Recurrent(settings.recurrent, input_size, rngs)
        return PooledRecurrent(recurrent, settings.pooling, rngs)
    if settings.network == "cnn":
        return TextCNN(input_size, settings.recurrent.hidden_size, rngs)
    if settings.network == "bag":
        return Bag(input_size)
    return Flat(input_size, max_length)
