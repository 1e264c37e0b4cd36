"""The quasi-recurrent network: gates from neighbouring inputs, and a memory that only they touch.

    n_t = tanh(x_{t-1} V_n + x_t W_n + b_n)     candidate
    f_t = σ(x_{t-1} V_f + x_t W_f + b_f)        forget gate
    o_t = σ(x_{t-1} V_o + x_t W_o + b_o)        output gate
    c_t = f_t ⊙ c_{t-1} + (1 - f_t) ⊙ n_t
    y_t = o_t ⊙ c_t

Paper: J. Bradbury, S. Merity, C. Xiong and R. Socher, "Quasi-Recurrent Neural Networks", ICLR 2017,
arXiv:1611.01576. Variant: fo-pooling, a filter of width 2, with biases. What the last input adds to the next
step's gates is part of the state, so that texts can be streamed; before the first step it is zero.

Gate order in every packed array: n, f, o. Shapes: V and W `[D, 3H]`, b `[3H]`, x_t `[..., D]`,
c_t `[..., H]`.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax.typing import DTypeLike

from rnn_jax.cells.cell import Array, Cell, Restarts, check_sizes, input_kernel, product
from rnn_jax.cells.linear_scan import linear_scan


class QRNNParams(NamedTuple):
    """Weights of a quasi-recurrent network, packed in the order n, f, o."""

    previous_kernel: Array  # V [D, 3H]
    input_kernel: Array  # W [D, 3H]
    bias: Array  # b [3H]

    @property
    def hidden_size(self) -> int:
        """H."""
        return self.bias.shape[-1] // 3


class QRNNState(NamedTuple):
    """What a quasi-recurrent network remembers."""

    cell: Array  # c [..., H]
    previous: Array  # x_{t-1} V [..., 3H]


def init(key: Array, input_size: int, hidden_size: int, dtype: DTypeLike = jnp.float32) -> QRNNParams:
    """Draws parameters: V and W Glorot-uniform for each gate, b zero but 1 for the forget gate.

    Raises:
        ValueError: if a size is below 1.
    """
    check_sizes(input_size, hidden_size)
    previous_key, input_key = jax.random.split(key)
    return QRNNParams(
        input_kernel(previous_key, input_size, hidden_size, 3, dtype),
        input_kernel(input_key, input_size, hidden_size, 3, dtype),
        jnp.zeros(3 * hidden_size, dtype).at[hidden_size : 2 * hidden_size].set(1.0),
    )


def initial_state(params: QRNNParams, batch_shape: tuple[int, ...]) -> QRNNState:
    """A state of zeros in the type of the parameters."""
    zeros = jnp.zeros((*batch_shape, 3 * params.hidden_size), params.bias.dtype)
    return QRNNState(zeros[..., : params.hidden_size], zeros)


def project(params: QRNNParams, x: Array) -> Array:
    """`x W + b`, and `x V` for the next step: `[..., D] -> [..., 6H]`."""
    both = product(x, jnp.concatenate([params.input_kernel, params.previous_kernel], axis=1))
    return both + jnp.pad(params.bias, (0, len(params.bias)))


def _terms(gates: Array) -> tuple[Array, Array, Array]:
    """What a step multiplies the state by, what it adds, and the output gate."""
    candidate, forget, output = jnp.split(gates, 3, axis=-1)
    return jax.nn.sigmoid(forget), jax.nn.sigmoid(-forget) * jnp.tanh(candidate), jax.nn.sigmoid(output)


def advance(params: QRNNParams, state: QRNNState, z: Array) -> tuple[QRNNState, Array]:
    """The new state: `z [..., 6H] -> (state, y [..., H])`."""
    this, previous = jnp.split(z, 2, axis=-1)
    factor, addend, shown = _terms(this + state.previous)
    memory = factor * state.cell + addend
    return QRNNState(memory, previous), shown * memory


def advance_all(
    params: QRNNParams, state: QRNNState, z: Array, restarts: Restarts | None = None
) -> tuple[QRNNState, Array]:
    """`advance` for all steps at once: `z [T, ..., 6H] -> (states [T, ...], y [T, ..., H])`."""
    this, previous = jnp.split(z, 2, axis=-1)
    before = jnp.concatenate([state.previous[None], previous])[:-1]
    if restarts is not None:
        before = jnp.where(restarts.steps, restarts.state.previous, before)
        restarts = restarts._replace(state=restarts.state.cell)
    factors, addends, shown = _terms(this + before)
    memory = linear_scan(factors, addends, state.cell, restarts)
    return QRNNState(memory, previous), shown * memory


def gates(params: QRNNParams, state: QRNNState, z: Array) -> dict[str, Array]:
    """The gates of a step, and its candidate."""
    this, _ = jnp.split(z, 2, axis=-1)
    candidate, forget, output = jnp.split(this + state.previous, 3, axis=-1)
    return {
        "forget gate": jax.nn.sigmoid(forget),
        "candidate": jnp.tanh(candidate),
        "output gate": jax.nn.sigmoid(output),
    }


QRNN = Cell(init, initial_state, project, advance, advance_all=advance_all, gates=gates)
