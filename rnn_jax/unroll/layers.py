"""Layers out of unrolls: one direction or both, one layer on another.

Parameters decide what is built: a cell's parameters are a layer of one direction, a `Directions` of two
such is a layer of both, and a tuple of layers is a stack. States have the same structure.
"""

import itertools
from collections.abc import Callable, Sequence

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike, DTypeLike

from rnn_jax.cells.cell import Array, Cell, Params, State
from rnn_jax.unroll.directions import Directions, run_both
from rnn_jax.unroll.sequence import Lengths, Unroll, Unrolled


def init_layers(
    cell: Cell,
    key: Array,
    input_size: int,
    hidden_size: int,
    num_layers: int = 1,
    bidirectional: bool = False,
    dense: bool = False,
    dtype: DTypeLike = jnp.float32,
) -> tuple[Params | Directions, ...]:
    """Draws the parameters of a stack of layers, all of one type, each of `hidden_size` in each direction.

    In a `dense` one every layer reads the inputs of the one below beside its outputs.

    Raises:
        ValueError: if a size or the number of layers is below 1.

    Example:
        >>> from rnn_jax.cells import CELLS
        >>> key, sizes = jax.random.key(0), {"num_layers": 2, "bidirectional": True}
        >>> first, second = init_layers(CELLS["gru"], key, 3, 4, **sizes)
        >>> second.forward.input_kernel.shape  # reads both directions of the first
        (8, 12)
    """
    if num_layers < 1:
        raise ValueError(f"a stack needs at least 1 layer, got num_layers={num_layers}")
    layers: list[Params | Directions] = []
    for layer_key in jax.random.split(key, num_layers):
        if bidirectional:
            forward, backward = jax.random.split(layer_key)
            layers.append(
                Directions(
                    cell.init(forward, input_size, hidden_size, dtype),
                    cell.init(backward, input_size, hidden_size, dtype),
                )
            )
        else:
            layers.append(cell.init(layer_key, input_size, hidden_size, dtype))
        output_size = hidden_size * (2 if bidirectional else 1)
        input_size = output_size + (input_size if dense else 0)
    return tuple(layers)


def map_layers(
    function: Callable[[int, Params], Params], layers: Sequence[Params | Directions]
) -> tuple[Params | Directions, ...]:
    """Applies `function(number, params)` to every cell's parameters: of each layer, and of each direction."""
    numbers = itertools.count()
    return tuple(
        Directions(*(function(next(numbers), half) for half in layer))
        if isinstance(layer, Directions)
        else function(next(numbers), layer)
        for layer in layers
    )


def run_layer(
    unroll: Unroll,
    cell: Cell,
    params: Params | Directions,
    x: Array,
    lengths: Lengths | None = None,
    initial_state: State | Directions | None = None,
    resets: ArrayLike | None = None,
) -> Unrolled:
    """Runs one layer: `x [B, T, D] -> outputs [B, T, H]`, or `[B, T, 2H]` forward half first.

    See `Unroll` for arguments and errors.
    """
    if not isinstance(params, Directions):
        return unroll(cell, params, x, lengths, initial_state, resets)
    start = Directions(None, None) if initial_state is None else initial_state
    forward, backward = run_both(unroll, cell, params, x, lengths, start, resets)
    outputs = jnp.concatenate([forward.outputs, backward.outputs], axis=-1)
    return Unrolled(outputs, Directions(forward.state, backward.state))


def run_layers(
    unroll: Unroll,
    cell: Cell,
    params: Sequence[Params | Directions],
    x: Array,
    lengths: Lengths | None = None,
    initial_state: Sequence[State | Directions] | None = None,
    resets: ArrayLike | None = None,
    between: Callable[[int, Array], Array] = lambda _, outputs: outputs,
    *,
    dense: bool = False,
) -> Unrolled:
    """Runs a stack: the outputs of one layer are the inputs of the next.

    See `Unroll` for arguments and errors. `between(i, outputs)` is applied to the outputs of layer i before
    layer i + 1 reads them (dropout, say). Outputs are the last layer's; the state is a tuple, a layer each.

    In a `dense` stack a layer reads the outputs of all below, and what the first reads (G. Huang et al.,
    "Densely Connected Convolutional Networks", CVPR 2017; recurrent layers so: Bradbury et al., 2017).

    Example:
        >>> from rnn_jax.cells import CELLS
        >>> from rnn_jax.unroll import fused
        >>> layers = init_layers(CELLS["gru"], jax.random.key(0), 3, 4, 2, bidirectional=True)
        >>> outputs, states = run_layers(fused, CELLS["gru"], layers, jnp.ones((2, 5, 3)), lengths=[5, 3])
        >>> outputs.shape, len(states), states[1].backward.hidden.shape
        ((2, 5, 8), 2, (2, 4))
    """
    states: list[State | Directions] = []
    outputs = x
    for i, layer in enumerate(params):
        if i > 0:
            outputs = between(i - 1, outputs)
            x = jnp.concatenate([x, outputs], axis=-1) if dense else outputs
        start = None if initial_state is None else initial_state[i]
        outputs, state = run_layer(unroll, cell, layer, x, lengths, start, resets)
        states.append(state)
    return Unrolled(outputs, tuple(states))
