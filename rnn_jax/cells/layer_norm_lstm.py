"""The layer-normalised LSTM.

    a_t = LN(x_t W; α) + LN(h_{t-1} U; β) + b       all gates together, in the order i, f, g, o
    c_t = σ(f) ⊙ c_{t-1} + σ(i) ⊙ tanh(g)
    h_t = σ(o) ⊙ tanh(LN(c_t; γ, δ)),    y_t = h_t
    LN(v; s) = s ⊙ (v - mean v) / √(var v + 10⁻⁵)       over the features of one step; the last one adds δ

Paper: J. Ba, J. Kiros and G. Hinton, "Layer Normalization", 2016, arXiv:1607.06450, equations 20 to 22.
Variant: one bias b in place of three that add up, the paper's b and one in each LN of the gates.

Shapes: W `[D, 4H]`, U `[H, 4H]`, b, α and β `[4H]`, γ and δ `[H]`, x_t `[..., D]`, h_t and c_t `[..., H]`.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax.typing import DTypeLike

from rnn_jax.cells import lstm
from rnn_jax.cells.cell import Array, Cell, product
from rnn_jax.cells.lstm import LSTMState

EPSILON = 1e-5


class LayerNormLSTMParams(NamedTuple):
    """Weights of a layer-normalised LSTM, gates packed in the order i, f, g, o."""

    input_kernel: Array  # W [D, 4H]
    recurrent_kernel: Array  # U [H, 4H]
    bias: Array  # b [4H]
    input_scale: Array  # α [4H]
    recurrent_scale: Array  # β [4H]
    cell_scale: Array  # γ [H]
    cell_bias: Array  # δ [H]

    @property
    def hidden_size(self) -> int:
        """H."""
        return self.recurrent_kernel.shape[-2]


def init(
    key: Array, input_size: int, hidden_size: int, dtype: DTypeLike = jnp.float32
) -> LayerNormLSTMParams:
    """Draws parameters: as for the LSTM, but b is off by up to ±1/2; scales one, δ zero.

    With the same bias for all units, all would be alike where the input is zero, and there the slope of LN is
    1/√10⁻⁵: gradients would explode.

    Raises:
        ValueError: if a size is below 1.
    """
    key, bias_key = jax.random.split(key)
    start = lstm.init(key, input_size, hidden_size, dtype)
    offset = jax.random.uniform(bias_key, start.bias.shape, jnp.float32, minval=-0.5, maxval=0.5)
    return LayerNormLSTMParams(
        start.input_kernel,
        start.recurrent_kernel,
        start.bias + offset.astype(dtype),
        jnp.ones(4 * hidden_size, dtype),
        jnp.ones(4 * hidden_size, dtype),
        jnp.ones(hidden_size, dtype),
        jnp.zeros(hidden_size, dtype),
    )


def project(params: LayerNormLSTMParams, x: Array) -> Array:
    """`LN(x W; α) + b`: `[..., D] -> [..., 4H]`."""
    return params.input_scale * normalize(product(x, params.input_kernel)) + params.bias


def gates(params: LayerNormLSTMParams, state: LSTMState, z: Array) -> dict[str, Array]:
    """The gates of a step, and its candidate."""
    mixed = params.recurrent_scale * normalize(product(state.hidden, params.recurrent_kernel))
    a_i, a_f, a_g, a_o = jnp.split(z + mixed, 4, axis=-1)
    return {
        "input gate": jax.nn.sigmoid(a_i),
        "forget gate": jax.nn.sigmoid(a_f),
        "candidate": jnp.tanh(a_g),
        "output gate": jax.nn.sigmoid(a_o),
    }


def advance(params: LayerNormLSTMParams, state: LSTMState, z: Array) -> tuple[LSTMState, Array]:
    """The new state: `z [..., 4H] -> (state, y [..., H])`."""
    i, f, g, o = gates(params, state, z).values()
    memory = f * state.cell + i * g
    hidden = o * jnp.tanh(params.cell_scale * normalize(memory) + params.cell_bias)
    return LSTMState(hidden, memory), hidden


def normalize(a: Array) -> Array:
    """Mean 0 and variance 1 over the last axis."""
    centred = a - a.mean(axis=-1, keepdims=True)
    return centred * jax.lax.rsqrt((centred * centred).mean(axis=-1, keepdims=True) + EPSILON)


LAYER_NORM_LSTM = Cell(init, lstm.initial_state, project, advance, gates=gates)
