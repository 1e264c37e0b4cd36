"""The independently recurrent network: every unit sees its own past only.

    h_t = max(0, x_t W + u ⊙ h_{t-1} + b),    y_t = h_t

Paper: S. Li et al., "Independently Recurrent Neural Network (IndRNN): Building a Longer and Deeper RNN",
CVPR 2018, arXiv:1803.04831. Variant: the paper keeps |u| ≤ ᵀ√γ for sequences of T steps, with γ about 2; here
|u| ≤ 1, its limit for long ones, which needs no T: a larger weight counts as 1, and a smaller as -1. The
paper sets weights beyond the bound back to it after each step of training; here they stay, and their gradient
is that of the weight they count as, so that they can come back.

Shapes: W `[D, H]`, u and b `[H]`, x_t `[..., D]`, h_t `[..., H]`.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax.typing import DTypeLike

from rnn_jax.cells.cell import Array, Cell, HiddenState, affine, check_sizes, input_kernel, zero_hidden


class IndRNNParams(NamedTuple):
    """Weights of an independently recurrent network."""

    input_kernel: Array  # W [D, H]
    recurrent_weights: Array  # u [H]
    bias: Array  # b [H]

    @property
    def hidden_size(self) -> int:
        """H."""
        return self.recurrent_weights.shape[-1]


def init(key: Array, input_size: int, hidden_size: int, dtype: DTypeLike = jnp.float32) -> IndRNNParams:
    """Draws parameters: W Glorot-uniform, u uniform in [0, 1) for memories of all spans, b zero.

    Raises:
        ValueError: if a size is below 1.
    """
    check_sizes(input_size, hidden_size)
    input_key, recurrent_key = jax.random.split(key)
    return IndRNNParams(
        input_kernel(input_key, input_size, hidden_size, 1, dtype),
        jax.random.uniform(recurrent_key, (hidden_size,), jnp.float32).astype(dtype),
        jnp.zeros(hidden_size, dtype),
    )


def advance(params: IndRNNParams, state: HiddenState, z: Array) -> tuple[HiddenState, Array]:
    """`h = max(0, z + u ⊙ h)`: `z [..., H] -> (state, y [..., H])`."""
    hidden = jax.nn.relu(z + _bounded(params.recurrent_weights) * state.hidden)
    return HiddenState(hidden), hidden


def _bounded(weights: Array) -> Array:
    """From -1 to 1, with the gradient of the weights themselves: `jnp.clip` alone has none beyond ±1."""
    return weights + jax.lax.stop_gradient(jnp.clip(weights, -1, 1) - weights)


INDRNN = Cell(init, zero_hidden, affine, advance, diagonal=True)
