"""Keras 3: the weights of `LSTM`, `GRU` and `SimpleRNN`, as `layer.get_weights()` lists them.

    cell, params = from_keras([layer.get_weights() for layer in model.layers if ...])
    outputs, states = run_layers(fused, CELLS[cell], params, x, lengths)

A layer lists its kernel `[D, G H]`, recurrent kernel `[H, G H]` and, unless `use_bias=False`, bias, with
G = 4 gates for the LSTM, 3 for the GRU, 1 for the simple RNN; `Bidirectional` lists those of the forward
layer, then those of the backward one. The gates of an LSTM have the same order as here; those of a GRU begin
with the update gate there, and with the reset gate here. The bias of a GRU is `[2, 3 H]`; that of a GRU with
`reset_after=False`, which is `gru_v3` here, is `[3 H]`.
"""

from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from rnn_jax.cells.cell import Array, Params
from rnn_jax.cells.elman import ElmanParams
from rnn_jax.cells.gru import GRUParams, GRUV3Params
from rnn_jax.cells.lstm import LSTMParams
from rnn_jax.errors import UserError
from rnn_jax.interchange.layers import Layers
from rnn_jax.unroll import Directions

CELLS = {4: "lstm", 3: "gru", 1: "elman"}  # by the number of gates

Weights = Sequence[NDArray[Any]]


def from_keras(weights: Sequence[Weights], *, relu: bool = False, reset_after: bool = True) -> Layers:
    """Reads the weights of a stack of layers.

    Args:
        weights: a list of arrays a layer.
        relu: whether simple RNNs have `activation="relu"`, which weights do not tell.
        reset_after: what GRUs have been made with.

    Raises:
        UserError: if arrays are missing or too many, or have shapes that do not fit.
    """
    if not weights:
        raise UserError("no layers: pass [layer.get_weights()]")
    _, cell = _sizes(weights[0], 0)
    if relu and cell != "elman":
        raise UserError(f"only a SimpleRNN has an activation to choose, and this is {cell}")
    name = "elman_relu" if relu else "gru_v3" if cell == "gru" and not reset_after else cell
    size = np.shape(weights[0][0])[0]
    params: list[Params | Directions] = []
    for layer, own in enumerate(weights):
        hidden, found = _sizes(own, layer)
        if found != cell:
            raise UserError(f"layer {layer} is {found}, and layer 0 {cell}: all must be of one kind")
        both = len(own) in (4, 6)
        halves = [own[: len(own) // 2], own[len(own) // 2 :]] if both else [own]
        read = [_direction(half, name, layer, size, hidden) for half in halves]
        params.append(Directions(*read) if both else read[0])
        size = hidden * len(halves)
    return Layers(name, tuple(params))


def _sizes(own: Weights, layer: int) -> tuple[int, str]:
    """H, and the cell, from the recurrent kernel."""
    if len(own) not in (2, 3, 4, 6):
        raise UserError(
            f"layer {layer} has {len(own)} arrays: a recurrent layer has 2 or 3 in each direction"
        )
    shape = np.shape(own[1])
    gates = shape[1] // shape[0] if len(shape) == 2 and shape[1] % shape[0] == 0 else 0
    if gates not in CELLS:
        raise UserError(f"the recurrent kernel of layer {layer} is {list(shape)}: expected [H, gates x H]")
    return shape[0], CELLS[gates]


def _direction(own: Weights, cell: str, layer: int, size: int, hidden: int) -> Params:
    """The parameters of one layer in one direction, which reads `size` features."""
    columns = np.shape(own[1])[1]
    biases = (2, columns) if cell == "gru" else (columns,)
    shapes = {"kernel": (size, columns), "recurrent kernel": (hidden, columns), "bias": biases}
    for (name, shape), array in zip(shapes.items(), own, strict=False):
        if np.shape(array) != shape:
            raise UserError(f"the {name} of layer {layer} is {list(np.shape(array))}: expected {list(shape)}")
    kernel, recurrent = map(jnp.asarray, own[:2])
    bias = jnp.asarray(own[2]) if len(own) > 2 else jnp.zeros(biases, kernel.dtype)
    if cell == "lstm":
        return LSTMParams(kernel, recurrent, bias)
    if not cell.startswith("gru"):
        return ElmanParams(kernel, recurrent, bias)
    kernel, recurrent, bias = (_reset_first(each, hidden) for each in (kernel, recurrent, bias))
    if cell == "gru_v3":
        return GRUV3Params(kernel, recurrent, bias)
    outside = bias[0] + bias[1].at[-hidden:].set(0)
    return GRUParams(kernel, recurrent, outside, bias[1, -hidden:])


def _reset_first(array: Array, hidden: int) -> Array:
    """Gates in the order z, r, n to r, z, n: the last axis."""
    update, reset, candidate = (array[..., i * hidden : (i + 1) * hidden] for i in range(3))
    return jnp.concatenate([reset, update, candidate], axis=-1)
