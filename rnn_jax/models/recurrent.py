"""Recurrent layers as a Flax module: it holds the parameters, and a way to unroll does the work."""

import jax
from flax import nnx

from rnn_jax.cells import Cell
from rnn_jax.cells.cell import Array, State
from rnn_jax.models.dropout import dropout
from rnn_jax.unroll import Unroll, Unrolled, dynamic, init_layers, run_layers


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
        dropout_rate: float = 0.0,
        unroll: Unroll = dynamic,
        rngs: nnx.Rngs,
    ) -> None:
        self.cell = cell
        self.unroll = unroll
        self.dropout_rate = dropout_rate
        self.bidirectional = bidirectional
        self.output_size = hidden_size * (2 if bidirectional else 1)
        layers = init_layers(cell, rngs.params(), input_size, hidden_size, num_layers, bidirectional)
        self.layers = nnx.data(jax.tree.map(nnx.Param, layers))

    def __call__(
        self,
        x: Array,
        lengths: Array | None = None,
        initial_state: tuple[State, ...] | None = None,
        dropout_keys: Array | None = None,
    ) -> Unrolled:
        """Runs the layers; see `rnn_jax.unroll.Unroll` for the arguments and errors.

        With `dropout_keys`, a key a row, features are dropped between layers, by one mask for all steps.
        """

        def drop(layer: int, outputs: Array) -> Array:
            if dropout_keys is None or self.dropout_rate == 0:
                return outputs
            return dropout(outputs, self.dropout_rate, dropout_keys, stream=100 + layer)

        params = jax.tree.map(lambda p: p[...], self.layers, is_leaf=lambda p: isinstance(p, nnx.Param))
        return run_layers(self.unroll, self.cell, params, x, lengths, initial_state, drop)
