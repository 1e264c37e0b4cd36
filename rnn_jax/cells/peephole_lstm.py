"""The LSTM whose gates look at the cell: peepholes.

    i_t = σ(x_t W_i + h_{t-1} U_i + p_i ⊙ c_{t-1} + b_i)
    f_t = σ(x_t W_f + h_{t-1} U_f + p_f ⊙ c_{t-1} + b_f)
    g_t = tanh(x_t W_g + h_{t-1} U_g + b_g)
    c_t = f_t ⊙ c_{t-1} + i_t ⊙ g_t
    o_t = σ(x_t W_o + h_{t-1} U_o + p_o ⊙ c_t + b_o)      the output gate sees the new cell
    h_t = o_t ⊙ tanh(c_t),    y_t = h_t

Paper: F. Gers, N. Schraudolph and J. Schmidhuber, "Learning Precise Timing with LSTM Recurrent Networks",
JMLR 3 (2002). Variant: one peephole a gate and unit (diagonal), tanh for candidate and output, as in K. Greff
et al., "LSTM: A Search Space Odyssey", 2015, arXiv:1503.04069 ("vanilla LSTM").

Gate order in W, U, b: i, f, g, o; in p: i, f, o. Shapes: W `[D, 4H]`, U `[H, 4H]`, b `[4H]`, p `[3H]`,
x_t `[..., D]`, h_t and c_t `[..., H]`.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax.typing import DTypeLike

from rnn_jax.cells import lstm
from rnn_jax.cells.cell import Array, Cell, affine, product
from rnn_jax.cells.lstm import LSTMState


class PeepholeLSTMParams(NamedTuple):
    """Weights of an LSTM with peepholes, gates packed in the order i, f, g, o, peepholes i, f, o."""

    input_kernel: Array  # W [D, 4H]
    recurrent_kernel: Array  # U [H, 4H]
    bias: Array  # b [4H]
    peepholes: Array  # p [3H]

    @property
    def hidden_size(self) -> int:
        """H."""
        return self.recurrent_kernel.shape[-2]


def init(key: Array, input_size: int, hidden_size: int, dtype: DTypeLike = jnp.float32) -> PeepholeLSTMParams:
    """Draws parameters: as for the LSTM, and p zero, so that it begins as one without.

    Raises:
        ValueError: if a size is below 1.
    """
    start = lstm.init(key, input_size, hidden_size, dtype)
    return PeepholeLSTMParams(*start, jnp.zeros(3 * hidden_size, dtype))


def gates(params: PeepholeLSTMParams, state: LSTMState, z: Array) -> dict[str, Array]:
    """The gates of a step, and its candidate."""
    a_i, a_f, a_g, a_o = jnp.split(z + product(state.hidden, params.recurrent_kernel), 4, axis=-1)
    p_i, p_f, p_o = jnp.split(params.peepholes, 3)
    i = jax.nn.sigmoid(a_i + p_i * state.cell)
    f = jax.nn.sigmoid(a_f + p_f * state.cell)
    g = jnp.tanh(a_g)
    o = jax.nn.sigmoid(a_o + p_o * (f * state.cell + i * g))
    return {"input gate": i, "forget gate": f, "candidate": g, "output gate": o}


def advance(params: PeepholeLSTMParams, state: LSTMState, z: Array) -> tuple[LSTMState, Array]:
    """The new state: `z [..., 4H] -> (state, y [..., H])`."""
    i, f, g, o = gates(params, state, z).values()
    memory = f * state.cell + i * g
    hidden = o * jnp.tanh(memory)
    return LSTMState(hidden, memory), hidden


PEEPHOLE_LSTM = Cell(init, lstm.initial_state, affine, advance, gates=gates)
