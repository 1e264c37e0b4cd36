"""Recurrent layers as a Flax module: it holds the parameters, and an unroll does the work."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from flax import nnx

from rnn_jax.cells import Cell
from rnn_jax.cells.cell import Array, Params, State
from rnn_jax.cells.noise import MaskedParams, ZoneoutParams, recurrent_dropout, zoneout
from rnn_jax.models.dropout import Keys, dropout, weight_dropout
from rnn_jax.models.encoder import Part
from rnn_jax.models.pooling import POOLINGS
from rnn_jax.unroll import Unroll, Unrolled, dynamic, init_layers, map_layers, run_layers
from rnn_jax.unroll.gates import gates_over_time

BETWEEN_LAYERS, RECURRENT, ZONEOUT, WEIGHTS = 100, 200, 300, 400  # random streams, one a layer from here on


class Noise(NamedTuple):
    """How much is dropped in training: probabilities."""

    between_layers: float = 0.0  # features, by one mask for all steps
    recurrent: float = 0.0  # of what a cell's products see of its state, by one mask for all steps
    weights: float = 0.0  # recurrent weights, by one mask for all steps and examples
    zoneout: float = 0.0  # units that keep their old state, at each step anew


class Recurrent(nnx.Module):
    """A stack of recurrent layers, in one direction or both.

    `x [B, T, input_size] -> outputs [B, T, output_size]` and the states of all layers.

    Attributes:
        output_size: hidden_size, or twice that in both directions.
    """

    def __init__(
        self,
        cell: Cell,
        input_size: int,
        hidden_size: int,
        *,
        num_layers: int = 1,
        bidirectional: bool = False,
        dense: bool = False,
        noise: Noise | None = None,
        unroll: Unroll = dynamic,
        rngs: nnx.Rngs,
    ) -> None:
        self.cell = cell
        self.unroll = unroll
        self.noise = noise or Noise()
        self.bidirectional = bidirectional
        self.dense = dense
        self.output_size = hidden_size * (2 if bidirectional else 1)
        layers = init_layers(cell, rngs.params(), input_size, hidden_size, num_layers, bidirectional, dense)
        self.layers = nnx.data(jax.tree.map(nnx.Param, layers))

    def __call__(
        self,
        x: Array,
        lengths: Array | None = None,
        initial_state: tuple[State, ...] | None = None,
        keys: Keys | None = None,
    ) -> Unrolled:
        """Runs the layers; see `rnn_jax.unroll.Unroll` for the arguments and errors. `keys` turn noise on."""

        def between(layer: int, outputs: Array) -> Array:
            if keys is None or self.noise.between_layers == 0:
                return outputs
            return dropout(outputs, self.noise.between_layers, keys, BETWEEN_LAYERS + layer)

        cell, params = self._with_noise(self.params(), keys)
        return run_layers(self.unroll, cell, params, x, lengths, initial_state, between, dense=self.dense)

    def params(self) -> tuple[Params, ...]:
        """The parameters of all layers, as cells and `run_layers` take them."""
        return jax.tree.map(lambda p: p[...], self.layers, is_leaf=lambda p: isinstance(p, nnx.Param))

    def gates(self, x: Array) -> dict[str, Array]:
        """The gates of the first layer, read forward, over one sequence: `x [T, D] -> {name: [T, H]}`.

        Raises:
            UserError: if the cell has none.
        """
        cell, (first, *_) = self._with_noise(self.params(), None)
        return gates_over_time(cell, first.forward if self.bidirectional else first, x)

    def _with_noise(self, layers: tuple[Params, ...], keys: Keys | None) -> tuple[Cell, tuple[Params, ...]]:
        """The cell, and parameters, of this step."""
        cell, noise = self.cell, self.noise

        def drop_weights(number: int, params: Params) -> Params:
            assert keys is not None
            kernel = weight_dropout(params.recurrent_kernel, noise.weights, keys, WEIGHTS + number)
            return params._replace(recurrent_kernel=kernel)

        def mask(number: int, params: Params) -> Params:
            assert keys is not None
            ones = jnp.ones((len(keys.examples), params.hidden_size), params.input_kernel.dtype)
            return MaskedParams(params, dropout(ones, noise.recurrent, keys, RECURRENT + number))

        def zone_out(number: int, params: Params) -> Params:
            fold = lambda key: jax.random.fold_in(key, ZONEOUT + number)  # noqa: E731
            return ZoneoutParams(
                params, noise.zoneout, None if keys is None else jax.vmap(fold)(keys.examples)
            )

        if keys is not None and noise.weights:
            layers = map_layers(drop_weights, layers)
        if keys is not None and noise.recurrent:
            cell, layers = recurrent_dropout(cell), map_layers(mask, layers)
        if noise.zoneout:  # which acts otherwise when not training, too
            cell, layers = zoneout(cell), map_layers(zone_out, layers)
        return cell, layers


class PooledRecurrent(nnx.Module):
    """Recurrent layers and a pooling: `x [B, T, D], lengths [B] -> [B, output_size]`.

    Attributes:
        output_size: the size of the pooling's output.
    """

    def __init__(self, cell: str, recurrent: Recurrent, pooling: str, rngs: nnx.Rngs) -> None:
        self.cell = cell
        self.recurrent = recurrent
        self.pooling = pooling
        self.pool, self.output_size = POOLINGS[pooling](recurrent.output_size, rngs)

    def __call__(self, x: Array, lengths: Array, *, keys: Keys | None = None) -> Array:
        """One vector a sequence; `keys` turn noise on."""
        return self.pool(self.recurrent(x, lengths, keys=keys), lengths)

    def parts(self, x: jax.ShapeDtypeStruct, lengths: jax.ShapeDtypeStruct) -> list[Part]:
        """What it is made of, for inputs of these shapes."""
        unrolled = jax.eval_shape(self.recurrent, x, lengths)
        pooled = jax.eval_shape(self.pool, unrolled, lengths)
        name = f"{self.cell}, both directions" if self.recurrent.bidirectional else self.cell
        layers = [Part(name, unrolled.outputs, layer) for layer in self.recurrent.layers]
        return [*layers, Part(f"{self.pooling} over time", pooled, self.pool)]
