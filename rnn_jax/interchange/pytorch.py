"""`torch.nn.LSTM`, `GRU` and `RNN`: their state dictionaries, as NumPy arrays.

    from safetensors.numpy import load_file, save_file

    cell, params = from_pytorch(load_file("lstm.safetensors"))
    outputs, states = run_layers(fused, CELLS[cell], params, x, lengths)
    save_file(to_pytorch(cell, params), "lstm.safetensors")

In torch, layer 0 read forward has the arrays `weight_ih_l0 [G H, D]`, `weight_hh_l0 [G H, H]`, `bias_ih_l0`
and `bias_hh_l0 [G H]`, with G = 4 gates for the LSTM, 3 for the GRU, 1 for the RNN; names of the backward
half end in `_reverse`. The gates have the same order as here. The two biases only ever act as a sum, but for
the candidate of a GRU, where the second is inside the reset: from here, it is zero in all else.
"""

import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from rnn_jax.cells.cell import Params
from rnn_jax.cells.elman import ElmanParams
from rnn_jax.cells.gru import GRUParams
from rnn_jax.cells.lstm import LSTMParams
from rnn_jax.errors import UserError
from rnn_jax.interchange.layers import Layers
from rnn_jax.unroll import Directions

GATES = {"lstm": 4, "gru": 3, "elman": 1, "elman_relu": 1}
NAME = re.compile(r"(weight|bias)_(ih|hh|hr)_l(\d+)(_reverse)?")

State = Mapping[str, NDArray[Any]]


def from_pytorch(state: State, prefix: str = "", *, relu: bool = False) -> Layers:
    """Reads a state dictionary.

    Args:
        state: arrays by name; with or without biases.
        prefix: what the names begin with, where the layers are part of a larger module: `encoder.rnn.`. Names
            that do not begin with it are passed over.
        relu: whether an RNN has `nonlinearity="relu"`, which its weights do not tell.

    Raises:
        UserError: if there are no such layers, one is incomplete, has a shape that does not fit, or is of a
            kind that has no equal here: an LSTM with projections.

    Example:
        >>> state = {  # as numbers of NumPy, of a torch.nn.GRU(3, 4, bias=False)
        ...     "weight_ih_l0": np.ones((12, 3), np.float32),
        ...     "weight_hh_l0": np.ones((12, 4), np.float32),
        ... }
        >>> cell, (layer,) = from_pytorch(state)
        >>> cell, layer.input_kernel.shape
        ('gru', (3, 12))
    """
    own = {
        name.removeprefix(prefix): np.asarray(each) for name, each in state.items() if name.startswith(prefix)
    }
    found = {name: match for name in own if (match := NAME.fullmatch(name))}
    if not found:
        known = ", ".join(sorted(state)) or "none"
        raise UserError(f"no weight_ih_l0 behind the prefix {prefix!r}: the names are {known}")
    if any(match[2] == "hr" for match in found.values()):
        raise UserError(f"{prefix}weight_hr_l0: an LSTM with projections (proj_size) has no equal here")
    hidden, gates = _sizes(own, prefix)
    cell = next((name for name, count in GATES.items() if count == gates), None)
    if cell is None:
        raise UserError(f"{prefix}weight_hh_l0 has {gates} gates: an LSTM has 4, a GRU 3, an RNN 1")
    if relu and cell != "elman":
        raise UserError(f"only an RNN has a nonlinearity to choose, and this is {cell}")
    take = partial(_take, own, prefix)
    both = any(match[4] for match in found.values())
    size = own["weight_ih_l0"].shape[-1]
    params: list[Params | Directions] = []
    for layer in range(1 + max(int(match[3]) for match in found.values())):
        names = [f"l{layer}", f"l{layer}_reverse"] if both else [f"l{layer}"]
        halves = [_direction(take, name, cell, size, hidden, "bias_ih_l0" in own) for name in names]
        params.append(Directions(*halves) if both else halves[0])
        size = hidden * len(halves)
    return Layers("elman_relu" if relu else cell, tuple(params))


def to_pytorch(
    cell: str, params: tuple[Params | Directions, ...], prefix: str = ""
) -> dict[str, NDArray[Any]]:
    """The state dictionary of layers: what `load_state_dict` of a module of these sizes takes.

    Raises:
        UserError: if torch has no such cell.

    Example:
        >>> import jax
        >>> from rnn_jax.cells import LSTM
        >>> state = to_pytorch("lstm", (LSTM.init(jax.random.key(0), input_size=3, hidden_size=4),))
        >>> {name: array.shape for name, array in state.items()}
        {'weight_ih_l0': (16, 3), 'weight_hh_l0': (16, 4), 'bias_ih_l0': (16,), 'bias_hh_l0': (16,)}
    """
    if cell not in GATES:
        raise UserError(f"torch has no {cell}: {', '.join(GATES)} can be written")
    state: dict[str, NDArray[Any]] = {}
    for layer, each in enumerate(params):
        halves = [*each] if isinstance(each, Directions) else [each]
        for own, ending in zip(halves, ("", "_reverse"), strict=False):
            second = np.zeros_like(own.bias)
            if cell == "gru":
                second[-own.hidden_size :] = own.candidate_bias
            arrays = {
                "weight_ih": np.ascontiguousarray(np.transpose(own.input_kernel)),
                "weight_hh": np.ascontiguousarray(np.transpose(own.recurrent_kernel)),
                "bias_ih": np.asarray(own.bias),
                "bias_hh": second,
            }
            state |= {f"{prefix}{name}_l{layer}{ending}": array for name, array in arrays.items()}
    return state


def _sizes(own: State, prefix: str) -> tuple[int, int]:
    """H, and the number of gates, from the product that leads from the state into itself."""
    if not {"weight_ih_l0", "weight_hh_l0"} <= own.keys():
        raise UserError(f"{prefix}weight_ih_l0 and {prefix}weight_hh_l0 must both be there")
    shape = own["weight_hh_l0"].shape
    if len(shape) != 2 or shape[0] % shape[1]:
        raise UserError(f"{prefix}weight_hh_l0 is {list(shape)}: expected [gates x H, H]")
    return shape[1], shape[0] // shape[1]


def _direction(
    take: Callable[[str, tuple[int, ...]], NDArray[Any]],
    name: str,
    cell: str,
    size: int,
    hidden: int,
    biased: bool,
) -> Params:
    """The parameters of a layer in one direction, `l0` say, which reads `size` features."""
    rows = hidden * GATES[cell]
    kernel, recurrent = (
        jnp.asarray(take(f"weight_{kind}_{name}", (rows, n)).T) for kind, n in (("ih", size), ("hh", hidden))
    )
    first = second = jnp.zeros(rows, kernel.dtype)
    if biased:
        first, second = (jnp.asarray(take(f"bias_{kind}_{name}", (rows,))) for kind in ("ih", "hh"))
    if cell == "gru":
        return GRUParams(kernel, recurrent, first + second.at[-hidden:].set(0), second[-hidden:])
    return (LSTMParams if cell == "lstm" else ElmanParams)(kernel, recurrent, first + second)


def _take(own: State, prefix: str, name: str, shape: tuple[int, ...]) -> NDArray[Any]:
    found = own.get(name)
    if found is None or found.shape != shape:
        what = "is missing" if found is None else f"is {list(found.shape)}"
        raise UserError(f"{prefix}{name} {what}: expected {list(shape)}")
    return found
