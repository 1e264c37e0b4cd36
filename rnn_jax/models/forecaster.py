"""Forecasts of a series: a recurrent network over segments, and a linear one to compare with."""

from dataclasses import dataclass
from typing import Annotated, Literal

import jax
import jax.numpy as jnp
from flax import nnx

from rnn_jax.cells.cell import Array
from rnn_jax.models.dropout import Keys, dropout
from rnn_jax.models.embedding import HEAD_DROPOUT
from rnn_jax.models.encoder import Part
from rnn_jax.models.recurrent import Recurrent, RecurrentSettings
from rnn_jax.settings import above, require

QUANTILES = (0.1, 0.5, 0.9)
OUTPUTS = 1 + len(QUANTILES)  # the mean, and the quantiles


@dataclass(frozen=True)
class ForecasterSettings:
    """What is read, what is forecast, and by what."""

    network: Literal["recurrent", "linear"] = "recurrent"
    """recurrent, over segments; linear: all steps of the past weighted, to compare with."""
    recurrent: RecurrentSettings = RecurrentSettings(cell="gru", hidden_size=256, dropout=0.3)
    history: Annotated[int, above(0)] = 336
    """Steps that are read."""
    horizon: Annotated[int, above(0)] = 96
    """Steps that are forecast."""
    segment: Annotated[int, above(0)] = 48
    """Steps that the recurrent network reads, and forecasts, as one."""

    def check(self) -> None:
        """Raises UserError unless segments fill what is read and what is forecast."""
        if self.network == "linear":
            return
        for name in ("history", "horizon"):
            value = getattr(self, name)
            words = f"must be a multiple of --segment {self.segment}"
            require(value % self.segment == 0, name, value, words)
        both = self.recurrent.bidirectional
        require(not both, "bidirectional", both, "what comes is not read: leave it out")


class SegmentedForecaster(nnx.Module):
    """Reads a series segment by segment, one variable like the other, and forecasts all segments at once.

        z_i = relu(W [x_{(i-1) w + 1} - x_L, …, x_{i w} - x_L] + b)       w steps at once
        h = cell(z_1, …, z_n)
        y_j = V cell([place_j, variable_c], h) + x_L                     every segment j from the same state

    `history [B, L, C] -> [B, H, C, OUTPUTS]`: the mean, and quantiles, of each step to come. The last value
    is taken off and added again, so that a level never seen is no other series.

    S. Lin et al., "SegRNN: Segment Recurrent Neural Network for Long-Term Time Series Forecasting", 2023,
    arXiv:2308.11200. Variant: with quantiles beside the mean, any cell, and any number of layers.
    """

    def __init__(self, settings: ForecasterSettings, variables: int, rngs: nnx.Rngs) -> None:
        size = settings.recurrent.hidden_size
        self.settings = settings
        self.entrance = nnx.Linear(settings.segment, size, rngs=rngs)
        self.recurrent = Recurrent(settings.recurrent, size, rngs)
        draw = nnx.initializers.normal(0.02)
        self.places = nnx.Param(draw(rngs.params(), (settings.horizon // settings.segment, size - size // 2)))
        self.variables = nnx.Param(draw(rngs.params(), (variables, size // 2)))
        self.head = nnx.Linear(self.recurrent.output_size, settings.segment * OUTPUTS, rngs=rngs)

    def __call__(self, history: Array, keys: Keys | None = None) -> Array:
        """The forecast; `keys` turn noise on."""
        width, parts = self.settings.segment, len(self.places)
        batch, _, variables = history.shape
        last = history[:, -1:]
        rows = jnp.moveaxis(history - last, -1, 1).reshape(batch * variables, -1, width)
        if keys is not None:  # a key a variable of an example
            fold = jax.vmap(lambda key: jax.vmap(lambda c: jax.random.fold_in(key, c))(jnp.arange(variables)))
            keys = keys._replace(examples=fold(keys.examples).reshape(-1))
        state = self.recurrent(jax.nn.relu(self.entrance(rows)), keys=keys).state
        spread = lambda leaf: jnp.repeat(leaf, parts, axis=0)  # noqa: E731
        queries = jnp.concatenate(
            [
                jnp.broadcast_to(self.places[None], (variables, *self.places.shape)),
                jnp.broadcast_to(self.variables[:, None], (variables, parts, self.variables.shape[-1])),
            ],
            axis=-1,
        )
        each = jnp.tile(queries.reshape(variables * parts, 1, -1), (batch, 1, 1))
        noise = None if keys is None else keys._replace(examples=spread(keys.examples))
        read = self.recurrent(each, initial_state=jax.tree.map(spread, state), keys=noise).outputs
        read = read.reshape(batch * variables, parts, -1)
        read = dropout(read, self.settings.recurrent.dropout, keys, HEAD_DROPOUT)
        steps = self.head(read).reshape(batch, variables, parts * width, OUTPUTS)
        return jnp.moveaxis(steps, 1, 2) + last[..., None]

    def parts(self, history: jax.ShapeDtypeStruct) -> list[Part]:
        """What it is made of, for inputs of this shape; the batch is of variables."""
        size = self.settings.recurrent.hidden_size
        shape = (history.shape[-1], history.shape[1] // self.settings.segment, size)
        rows = jax.ShapeDtypeStruct(shape, jnp.float32)
        steps = jax.ShapeDtypeStruct(
            (len(rows), len(self.places), self.settings.segment * OUTPUTS), jnp.float32
        )
        queries = jax.ShapeDtypeStruct((len(rows), len(self.places), size), jnp.float32)
        return [
            Part(f"dense, of {self.settings.segment} steps each", rows, self.entrance),
            *self.recurrent.parts(rows),
            Part("places and variables", queries, (self.places, self.variables)),
            Part("dense, of each segment to come", steps, self.head),
        ]


class LinearForecaster(nnx.Module):
    """All steps of the past weighted, each variable alike: y = W (x - x_L) + b + x_L.

    `history [B, L, C] -> [B, H, C, OUTPUTS]`. A. Zeng et al., "Are Transformers Effective for Time Series
    Forecasting?", AAAI 2023: NLinear.
    """

    def __init__(self, settings: ForecasterSettings, rngs: nnx.Rngs) -> None:
        self.horizon = settings.horizon
        self.head = nnx.Linear(
            settings.history, settings.horizon * OUTPUTS, kernel_init=nnx.initializers.zeros, rngs=rngs
        )

    def __call__(self, history: Array, keys: Keys | None = None) -> Array:
        """The forecast; there is no noise."""
        last = history[:, -1:]
        steps = self.head(jnp.moveaxis(history - last, -1, 1))
        steps = steps.reshape(len(history), history.shape[-1], self.horizon, OUTPUTS)
        return jnp.moveaxis(steps, 1, 2) + last[..., None]

    def parts(self, history: jax.ShapeDtypeStruct) -> list[Part]:
        """What it is made of, for inputs of this shape."""
        return [Part("linear, of all steps", jax.eval_shape(self, history), self.head)]


def make_forecaster(
    settings: ForecasterSettings, variables: int, rngs: nnx.Rngs
) -> SegmentedForecaster | LinearForecaster:
    """The network for so many variables, with its initial weights."""
    if settings.network == "linear":
        return LinearForecaster(settings, rngs)
    return SegmentedForecaster(settings, variables, rngs)
