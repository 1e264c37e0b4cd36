"""The long short-term memory.

    i_t = σ(x_t W_i + h_{t-1} U_i + b_i)        input gate: how much of the candidate enters
    f_t = σ(x_t W_f + h_{t-1} U_f + b_f)        forget gate: how much of the cell stays
    g_t = tanh(x_t W_g + h_{t-1} U_g + b_g)     candidate
    o_t = σ(x_t W_o + h_{t-1} U_o + b_o)        output gate: how much of the cell shows
    c_t = f_t ⊙ c_{t-1} + i_t ⊙ g_t
    h_t = o_t ⊙ tanh(c_t),    y_t = h_t

Papers: S. Hochreiter and J. Schmidhuber, "Long Short-Term Memory", Neural Computation 9 (1997); forget gate:
F. Gers, J. Schmidhuber and F. Cummins, "Learning to Forget", Neural Computation 12 (2000). Variant: with
forget gate, without peepholes, one bias a gate: what `torch.nn.LSTM` (whose two biases add up to this one),
Keras and cuDNN compute.

Gate order in every packed array: i, f, g, o. Shapes: W `[D, 4H]`, U `[H, 4H]`, b `[4H]`, x_t `[..., D]`,
h_t and c_t `[..., H]`.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax.typing import DTypeLike

from rnn_jax.cells import cell


class LSTMParams(NamedTuple):
    """Weights of an LSTM, gates packed in the order i, f, g, o."""

    input_kernel: cell.Array  # W [D, 4H]
    recurrent_kernel: cell.Array  # U [H, 4H]
    bias: cell.Array  # b [4H]

    @property
    def hidden_size(self) -> int:
        """H."""
        return self.recurrent_kernel.shape[-2]


class LSTMState(NamedTuple):
    """What an LSTM remembers."""

    hidden: cell.Array  # h [..., H], which the next step's gates see
    cell: cell.Array  # c [..., H], which only the gates touch


def init(key: cell.Array, input_size: int, hidden_size: int, dtype: DTypeLike = jnp.float32) -> LSTMParams:
    """Draws parameters: W Glorot-uniform and U orthogonal for each gate, b zero but 1 for the forget gate.

    The forget bias of 1 keeps the memory open at the start (R. Jozefowicz, W. Zaremba and I. Sutskever,
    "An Empirical Exploration of Recurrent Network Architectures", ICML 2015).

    Raises:
        ValueError: if a size is below 1.
    """
    params = LSTMParams(*cell.draw_weights(key, input_size, hidden_size, 4, dtype))
    return params._replace(bias=params.bias.at[hidden_size : 2 * hidden_size].set(1.0))


def initial_state(params: LSTMParams, batch_shape: tuple[int, ...]) -> LSTMState:
    """A state of zeros, `[*batch_shape, H]`, in the type of the parameters."""
    shape, dtype = (*batch_shape, params.hidden_size), params.bias.dtype
    return LSTMState(
        jnp.zeros(shape, dtype), jnp.zeros(shape, dtype)
    )  # two arrays, so that both can be donated


def combine(state: LSTMState, z: cell.Array, m: cell.Array) -> tuple[LSTMState, tuple[cell.Array, ...]]:
    """The new state, and the gates i, f, g, o."""
    a_i, a_f, a_g, a_o = jnp.split(z + m, 4, axis=-1)
    i, f, g, o = jax.nn.sigmoid(a_i), jax.nn.sigmoid(a_f), jnp.tanh(a_g), jax.nn.sigmoid(a_o)
    memory = f * state.cell + i * g
    return LSTMState(o * jnp.tanh(memory), memory), (i, f, g, o)


def advance(params: LSTMParams, state: LSTMState, z: cell.Array) -> tuple[LSTMState, cell.Array]:
    """The gates and the new state: `z [..., 4H] -> (state, y [..., H])`."""
    state, _ = combine(state, z, cell.mix(params, state))
    return state, state.hidden


def gates(params: LSTMParams, state: LSTMState, z: cell.Array) -> dict[str, cell.Array]:
    """The gates of a step, and its candidate."""
    _, values = combine(state, z, cell.mix(params, state))
    return dict(zip(("input gate", "forget gate", "candidate", "output gate"), values, strict=True))


def gradients(
    saved: tuple[cell.Array, ...], previous: LSTMState, state: LSTMState, d_state: LSTMState
) -> tuple[LSTMState, cell.Array, cell.Array]:
    """Back through `combine`, with da for the gradient of what enters a gate.

    δc = dc + dh ⊙ o ⊙ (1 - tanh² c),    dc_{t-1} = f ⊙ δc
    da_i = δc ⊙ g ⊙ i(1 - i),    da_f = δc ⊙ c_{t-1} ⊙ f(1 - f)
    da_g = δc ⊙ i ⊙ (1 - g²),    da_o = dh ⊙ tanh c ⊙ o(1 - o)
    """
    i, f, g, o = saved
    shown = jnp.tanh(state.cell)
    d_memory = d_state.cell + d_state.hidden * o * (1 - shown * shown)
    da = jnp.concatenate(
        [
            d_memory * g * i * (1 - i),
            d_memory * previous.cell * f * (1 - f),
            d_memory * i * (1 - g * g),
            d_state.hidden * shown * o * (1 - o),
        ],
        axis=-1,
    )
    return LSTMState(jnp.zeros_like(d_memory), d_memory * f), da, da


def weight_gradients(x: cell.Array, hidden: cell.Array, dz: cell.Array, dm: cell.Array) -> LSTMParams:
    """Gradients of the weights; here dm is dz."""
    return LSTMParams(cell.kernel_gradient(x, dz), cell.kernel_gradient(hidden, dm), dz.sum(axis=0))


LSTM = cell.Cell(
    init,
    initial_state,
    cell.affine,
    advance,
    cell.Fusion(cell.mix, combine, gradients, weight_gradients),
    gates=gates,
)
