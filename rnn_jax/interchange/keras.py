"""Keras 3: the weights of `LSTM`, `GRU` and `SimpleRNN`, as `layer.get_weights()` lists them; and of a model.

    cell, params = from_keras([layer.get_weights() for layer in model.layers if ...])
    outputs, states = run_layers(fused, CELLS[cell], params, x, lengths)

A layer lists its kernel `[D, G H]`, recurrent kernel `[H, G H]` and, unless `use_bias=False`, bias, with
G = 4 gates for the LSTM, 3 for the GRU, 1 for the simple RNN; `Bidirectional` lists those of the forward
layer, then those of the backward one. The gates of an LSTM have the same order as here; those of a GRU begin
with the update gate there, and with the reset gate here. The bias of a GRU is `[2, 3 H]`; that of a GRU with
`reset_after=False`, which is `gru_v3` here, is `[3 H]`.
"""

import os
import zipfile
from collections.abc import Sequence
from pathlib import Path
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
from rnn_jax.places import local
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

    Example:
        >>> weights = [np.ones((3, 16)), np.ones((4, 16)), np.zeros(16)]  # LSTM(4).get_weights(), of 3 inputs
        >>> cell, (layer,) = from_keras([weights])
        >>> cell, layer.hidden_size
        ('lstm', 4)
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


KINDS = ("LSTM", "GRU", "SimpleRNN")
NEEDED = {"recurrent_activation": "sigmoid", "go_backwards": False}  # where a layer has such a setting


def from_keras_model(model: Any) -> Layers:
    """The recurrent layers of a Keras model, one on another; what lies between them is passed over.

    Raises:
        UserError: if there are none, or one computes what no cell here does.

    Example:
        >>> import keras  # doctest: +SKIP
        >>> cell, layers = from_keras_model(keras.saving.load_model("model.keras"))  # doctest: +SKIP
    """
    own = [layer for layer in model.layers if type(_forward(layer)).__name__ in KINDS]
    if not own:
        kinds = ", ".join(type(layer).__name__ for layer in model.layers) or "none"
        raise UserError(f"the model has no {', '.join(KINDS)}: its layers are {kinds}")
    for layer in own:
        settings = {"merge_mode": getattr(layer, "merge_mode", "concat"), **_forward(layer).get_config()}
        activations = ("tanh", "relu") if type(_forward(layer)).__name__ == "SimpleRNN" else ("tanh",)
        needed = {"merge_mode": "concat", **NEEDED}
        odd = [
            f"{name}={settings[name]}" for name in needed if settings.get(name, needed[name]) != needed[name]
        ]
        if settings["activation"] not in activations:
            odd.append(f"activation={settings['activation']}")
        if odd:
            raise UserError(f"layer {layer.name} has {', '.join(odd)}, which no cell here has")
    first = _forward(own[0]).get_config()
    if {_forward(layer).get_config()["activation"] for layer in own} != {first["activation"]}:
        raise UserError("the recurrent layers have several activations: all must be of one kind")
    weights = [layer.get_weights() for layer in own]
    return from_keras(weights, relu=first["activation"] == "relu", reset_after=first.get("reset_after", True))


def load_keras_model(path: str | Path) -> Layers:
    """The recurrent layers of a model that `model.save("….keras")` has written.

    Raises:
        UserError: if Keras is not installed, the file is not such a model, or as `from_keras_model`.
    """
    os.environ.setdefault("KERAS_BACKEND", "jax")
    try:
        import keras
    except ImportError as error:
        raise UserError("models of Keras need Keras to be read: pip install keras") from error
    try:
        model = keras.saving.load_model(local(path), compile=False)
    except (OSError, ValueError, TypeError, zipfile.BadZipFile) as error:
        raise UserError(
            f"{path} cannot be read as a model of Keras 3: write it with model.save() ({error})"
        ) from error
    return from_keras_model(model)


def _forward(layer: Any) -> Any:
    """The layer, or the half of a `Bidirectional` one that reads forward."""
    return getattr(layer, "forward_layer", layer)


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
