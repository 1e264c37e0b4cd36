"""The LSTM whose input gate is what the forget gate leaves: coupled gates.

    f_t = σ(x_t W_f + h_{t-1} U_f + b_f)        forget gate
    g_t = tanh(x_t W_g + h_{t-1} U_g + b_g)     candidate
    o_t = σ(x_t W_o + h_{t-1} U_o + b_o)        output gate
    c_t = f_t ⊙ c_{t-1} + (1 - f_t) ⊙ g_t
    h_t = o_t ⊙ tanh(c_t),    y_t = h_t

Paper: K. Greff et al., "LSTM: A Search Space Odyssey", 2015, arXiv:1503.04069, variant CIFG (coupled input
and forget gate), after Cho et al. (2014). Variant: without peepholes, so that it is our LSTM but for
the gate.

Gate order in every packed array: f, g, o. Shapes: W `[D, 3H]`, U `[H, 3H]`, b `[3H]`, x_t `[..., D]`,
h_t and c_t `[..., H]`.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax.typing import DTypeLike

from rnn_jax.cells import lstm
from rnn_jax.cells.cell import (
    Array,
    Cell,
    Fusion,
    affine,
    draw_weights,
    kernel_gradient,
    mix,
)
from rnn_jax.cells.lstm import LSTMState


class CoupledLSTMParams(NamedTuple):
    """Weights of an LSTM with coupled gates, packed in the order f, g, o."""

    input_kernel: Array  # W [D, 3H]
    recurrent_kernel: Array  # U [H, 3H]
    bias: Array  # b [3H]

    @property
    def hidden_size(self) -> int:
        """H."""
        return self.recurrent_kernel.shape[-2]


def init(key: Array, input_size: int, hidden_size: int, dtype: DTypeLike = jnp.float32) -> CoupledLSTMParams:
    """Draws parameters: W Glorot-uniform and U orthogonal for each gate, b zero but 1 for the forget gate.

    Raises:
        ValueError: if a size is below 1.
    """
    params = CoupledLSTMParams(*draw_weights(key, input_size, hidden_size, 3, dtype))
    return params._replace(bias=params.bias.at[:hidden_size].set(1.0))


def combine(state: LSTMState, z: Array, m: Array) -> tuple[LSTMState, tuple[Array, ...]]:
    """The new state, and f, g, o."""
    a_f, a_g, a_o = jnp.split(z + m, 3, axis=-1)
    f, g, o = jax.nn.sigmoid(a_f), jnp.tanh(a_g), jax.nn.sigmoid(a_o)
    memory = f * state.cell + (1 - f) * g
    return LSTMState(o * jnp.tanh(memory), memory), (f, g, o)


def advance(params: CoupledLSTMParams, state: LSTMState, z: Array) -> tuple[LSTMState, Array]:
    """The gates and the new state: `z [..., 3H] -> (state, y [..., H])`."""
    state, _ = combine(state, z, mix(params, state))
    return state, state.hidden


def gates(params: CoupledLSTMParams, state: LSTMState, z: Array) -> dict[str, Array]:
    """The gates of a step, and its candidate."""
    _, values = combine(state, z, mix(params, state))
    return dict(zip(("forget gate", "candidate", "output gate"), values, strict=True))


def gradients(
    saved: tuple[Array, ...], previous: LSTMState, state: LSTMState, d_state: LSTMState
) -> tuple[LSTMState, Array, Array]:
    """Back through `combine`, with da for the gradient of what enters a gate.

    δc = dc + dh ⊙ o ⊙ (1 - tanh² c),    dc_{t-1} = f ⊙ δc
    da_f = δc ⊙ (c_{t-1} - g) ⊙ f(1 - f),    da_g = δc ⊙ (1 - f) ⊙ (1 - g²)
    da_o = dh ⊙ tanh c ⊙ o(1 - o)
    """
    f, g, o = saved
    shown = jnp.tanh(state.cell)
    d_memory = d_state.cell + d_state.hidden * o * (1 - shown * shown)
    da = jnp.concatenate(
        [
            d_memory * (previous.cell - g) * f * (1 - f),
            d_memory * (1 - f) * (1 - g * g),
            d_state.hidden * shown * o * (1 - o),
        ],
        axis=-1,
    )
    return LSTMState(jnp.zeros_like(d_memory), d_memory * f), da, da


def weight_gradients(x: Array, hidden: Array, dz: Array, dm: Array) -> CoupledLSTMParams:
    """Gradients of the weights; here dm is dz."""
    return CoupledLSTMParams(kernel_gradient(x, dz), kernel_gradient(hidden, dm), dz.sum(axis=0))


COUPLED_LSTM = Cell(
    init,
    lstm.initial_state,
    affine,
    advance,
    Fusion(mix, combine, gradients, weight_gradients),
    gates=gates,
)
