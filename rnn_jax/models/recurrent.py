"""Recurrent layers as a Flax module: it holds the parameters, and an unroll does the work."""

from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any, Literal

import jax
import jax.numpy as jnp
from flax import nnx

from rnn_jax.cells import CELLS, Cell, CellName
from rnn_jax.cells.cell import Array, Params, State
from rnn_jax.cells.clipped import ClippedParams, clipped
from rnn_jax.cells.learned_initial_state import InitialStateParams, learned_initial_state
from rnn_jax.cells.noise import (
    MaskedParams,
    ZoneoutParams,
    can_drop,
    can_zone_out,
    has_recurrent_kernel,
    recurrent_dropout,
    zoneout,
)
from rnn_jax.data.batches import Spans
from rnn_jax.models.dropout import Keys, dropout, weight_dropout
from rnn_jax.models.encoder import Part
from rnn_jax.models.pooling import POOLINGS
from rnn_jax.models.residual import ResidualBlocks
from rnn_jax.settings import EXTENDABLE, NEUTRAL, Rate, above, at_least, require
from rnn_jax.unroll import UNROLLS, Unrolled, UnrollName, init_layers, map_layers, run_layer, run_layers
from rnn_jax.unroll.gates import gates_over_time

BETWEEN_LAYERS, RECURRENT, ZONEOUT, WEIGHTS = 100, 200, 300, 400  # random streams, one a layer from here on

# Which decide what weights a direction has.
LAYER_SETTINGS = ("cell", "hidden_size", "num_layers", "dense", "block", "learned_initial_state")


@dataclass(frozen=True)
class RecurrentSettings:
    """Recurrent layers."""

    cell: CellName = "lstm"
    """Recurrent cell."""
    unroll: Annotated[UnrollName, EXTENDABLE, NEUTRAL] = "auto"
    """How steps become a sequence: auto (the fastest in training, by platform, cell and size), fused (a scan
    with derivatives by hand), hoisted (the same with little in the loop, for GPUs and TPUs), dynamic
    (lax.scan as it is), static (a Python loop; compiles every step), checkpointed (little memory), parallel
    (all steps at once, for linear cells), newton (all steps at once by iteration, for sru and indrnn), cudnn
    (LSTM on NVIDIA GPUs)."""
    hidden_size: Annotated[int, above(0)] = 32
    """Size of the recurrent state, in each direction; features of a width of the convolutional network."""
    num_layers: Annotated[int, above(0)] = 1
    """Recurrent layers, one on another."""
    bidirectional: bool = False
    """Whether each layer also reads from the end to the beginning."""
    dense: bool = False
    """Whether a layer also reads what the layers below it read."""
    block: Literal["none", "residual"] = "none"
    """What is around each layer: residual, a normalisation before it, a gated projection behind it, and a
    connection that skips both, as linear cells are stacked."""
    dropout: Rate = 0.3
    """Probability that a feature is dropped in training, between layers and before the head."""
    recurrent_dropout: Rate = 0.0
    """Variational dropout of the state: probability that a unit is hidden from the products of the next step
    in training, at all steps."""
    weight_dropout: Rate = 0.0
    """Probability that a recurrent weight is dropped in training, at all steps."""
    zoneout: Rate = 0.0
    """Probability that a unit keeps its old state at a step in training."""
    learned_initial_state: bool = False
    """Whether the state before the first step is learnt, instead of zero."""
    clip_state_gradient: Annotated[float, at_least(0)] = 0.0
    """Largest gradient, in each number, that passes from a step to the state before it; 0: any."""

    def check(self) -> None:
        """Raises UserError for noise that the cell does not know."""
        cell = CELLS[self.cell]
        for name, known in (
            ("recurrent_dropout", can_drop(cell)),
            ("weight_dropout", has_recurrent_kernel(cell)),
            ("zoneout", can_zone_out(cell)),
            ("learned_initial_state", cell.free_state),
        ):
            value = getattr(self, name)
            require(known or value == 0, name, value, f"is not known for --cell {self.cell}: leave it 0")
        alone = self.block == "none" or not self.dense
        require(alone, "dense", self.dense, "residual blocks have connections of their own: --block none")


class Recurrent(nnx.Module):
    """A stack of recurrent layers, in one direction or both.

    `x [B, T, input_size] -> outputs [B, T, output_size]` and the states of all layers.

    Attributes:
        output_size: hidden_size; twice that in both directions, but for residual blocks.

    Example:
        >>> layers = Recurrent(RecurrentSettings(cell="gru", hidden_size=4, num_layers=2), 3, nnx.Rngs(0))
        >>> outputs, states = layers(jnp.ones((2, 5, 3)), lengths=[5, 3])
        >>> outputs.shape, len(states)
        ((2, 5, 4), 2)
    """

    def __init__(self, settings: RecurrentSettings, input_size: int, rngs: nnx.Rngs) -> None:
        self.settings = settings
        hidden, number = settings.hidden_size, settings.num_layers
        self.output_size = hidden * (2 if settings.bidirectional else 1)
        cell, key = CELLS[settings.cell], rngs.params()
        if settings.block == "none":
            kinds = settings.bidirectional, settings.dense
            layers = init_layers(cell, key, input_size, hidden, number, *kinds)
        else:
            self.residual = ResidualBlocks(input_size, hidden, self.output_size, number, rngs)
            self.output_size = hidden
            layers = tuple(
                layer
                for one in jax.random.split(key, number)
                for layer in init_layers(cell, one, hidden, hidden, bidirectional=settings.bidirectional)
            )
        self.layers = nnx.data(jax.tree.map(nnx.Param, layers))
        starts: list[State] = []
        if settings.learned_initial_state:
            map_layers(lambda _, params: starts.append(cell.initial_state(params, ())), layers)
        self.starts = nnx.data(jax.tree.map(nnx.Param, starts))

    def __call__(
        self,
        x: Array,
        lengths: Array | None = None,
        initial_state: tuple[State, ...] | None = None,
        keys: Keys | None = None,
        resets: Array | None = None,
    ) -> Unrolled:
        """Runs the layers; see `rnn_jax.unroll.Unroll` for the arguments and errors. `keys` turn noise on."""

        def between(layer: int, outputs: Array) -> Array:
            return dropout(outputs, settings.dropout, keys, BETWEEN_LAYERS + layer)

        settings = self.settings
        cell, params = self.cell_and_params(self.params(), keys)
        unroll = UNROLLS[settings.unroll]
        if settings.block == "none":
            return run_layers(
                unroll, cell, params, x, lengths, initial_state, resets, between, dense=settings.dense
            )
        starts = [None] * len(params) if initial_state is None else initial_state
        layers = [
            partial(run_layer, unroll, cell, layer, lengths=lengths, initial_state=start, resets=resets)
            for layer, start in zip(params, starts, strict=True)
        ]
        return self.residual(layers, x, lengths, between)

    def params(self) -> tuple[Params, ...]:
        """The parameters of all layers, as cells and `run_layers` take them."""
        return _values(self.layers)

    def initial_state(self, batch_size: int) -> tuple[State, ...]:
        """The state of each layer before the first step, of layers that are read forward alone."""
        cell, layers = self.cell_and_params(self.params(), None)
        return tuple(cell.initial_state(layer, (batch_size,)) for layer in layers)

    def gates(self, x: Array) -> dict[str, Array]:
        """The gates of the first layer, read forward, over one sequence: `x [T, D] -> {name: [T, H]}`.

        Raises:
            UserError: if the cell has none.
        """
        cell, (first, *_) = self.cell_and_params(self.params(), None)
        if self.settings.block == "residual":
            x = self.residual.blocks[0].norm(self.residual.entrance(x))
        return gates_over_time(cell, first.forward if self.settings.bidirectional else first, x)

    def parts(self, x: jax.ShapeDtypeStruct) -> list[Part]:
        """What it is made of, for inputs of this shape."""
        settings, outputs = self.settings, jax.eval_shape(self, x).outputs
        name = f"{settings.cell}, both directions" if settings.bidirectional else settings.cell
        each = len(self.starts) // len(self.layers)  # initial states of a layer
        layers = [(layer, self.starts[i * each : (i + 1) * each]) for i, layer in enumerate(self.layers)]
        if settings.block == "none":
            return [Part(name, outputs, layer) for layer in layers]
        blocks = zip(layers, self.residual.blocks, strict=True)
        return [
            Part("dense", outputs, self.residual.entrance),
            *(Part(f"residual block of {name}", outputs, block) for block in blocks),
            Part("layer normalisation, dense", outputs, (self.residual.norm, self.residual.exit)),
        ]

    def cell_and_params(
        self, layers: tuple[Params, ...], keys: Keys | None
    ) -> tuple[Cell, tuple[Params, ...]]:
        """The cell, and parameters, of this step, with all that is around the cell."""
        cell, settings = CELLS[self.settings.cell], self.settings

        def drop_weights(number: int, params: Params) -> Params:
            assert keys is not None
            kernel = weight_dropout(params.recurrent_kernel, settings.weight_dropout, keys, WEIGHTS + number)
            return params._replace(recurrent_kernel=kernel)

        def mask(number: int, params: Params) -> Params:
            assert keys is not None
            ones = jnp.ones((len(keys.examples), params.hidden_size), params.input_kernel.dtype)
            return MaskedParams(params, dropout(ones, settings.recurrent_dropout, keys, RECURRENT + number))

        def zone_out(number: int, params: Params) -> Params:
            fold = lambda key: jax.random.fold_in(key, ZONEOUT + number)  # noqa: E731
            return ZoneoutParams(
                params, settings.zoneout, None if keys is None else jax.vmap(fold)(keys.examples)
            )

        if keys is not None and settings.weight_dropout:
            layers = map_layers(drop_weights, layers)
        if settings.learned_initial_state:
            starts = _values(self.starts)
            cell = learned_initial_state(cell)
            layers = map_layers(lambda number, params: InitialStateParams(params, starts[number]), layers)
        if keys is not None and settings.recurrent_dropout:
            cell, layers = recurrent_dropout(cell), map_layers(mask, layers)
        if settings.zoneout:  # which acts otherwise when not training, too
            cell, layers = zoneout(cell), map_layers(zone_out, layers)
        if settings.clip_state_gradient:
            cell = clipped(cell)
            layers = map_layers(lambda _, params: ClippedParams(params, settings.clip_state_gradient), layers)
        return cell, layers


def _values(tree: Any) -> Any:
    """The arrays of parameters."""
    return jax.tree.map(lambda p: p[...], tree, is_leaf=lambda p: isinstance(p, nnx.Param))


class PooledRecurrent(nnx.Module):
    """Recurrent layers and a pooling: `x [B, T, D], lengths [B] -> [B, output_size]`.

    Attributes:
        output_size: the size of the pooling's output.
    """

    def __init__(self, recurrent: Recurrent, pooling: str, rngs: nnx.Rngs) -> None:
        self.recurrent = recurrent
        self.pooling = pooling
        self.pool, self.output_size = POOLINGS[pooling](recurrent.output_size, rngs)

    def __call__(
        self, x: Array, lengths: Array, *, keys: Keys | None = None, spans: Spans | None = None
    ) -> Array:
        """One vector a sequence; `keys` turn noise on.

        Where rows hold several sequences, `spans` of `[B, K]` say where they are, and all of them have a
        vector: `[B K, output_size]`.
        """
        if spans is None:
            return self.pool(self.recurrent(x, lengths, keys=keys), lengths)
        begins = jnp.arange(x.shape[1]) == spans.first[..., None]
        resets = (begins & (spans.lengths[..., None] > 0)).any(axis=1)
        unrolled = self.recurrent(x, lengths, keys=keys, resets=resets)
        return self.pool(unrolled, lengths, spans).reshape(-1, self.output_size)

    def parts(self, x: jax.ShapeDtypeStruct, lengths: jax.ShapeDtypeStruct) -> list[Part]:
        """What it is made of, for inputs of these shapes."""
        pooled = jax.eval_shape(self.pool, jax.eval_shape(self.recurrent, x, lengths), lengths)
        return [*self.recurrent.parts(x), Part(f"{self.pooling} over time", pooled, self.pool)]
