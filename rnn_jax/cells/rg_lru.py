"""The real-gated linear recurrent unit: a decay of its own for each unit, which a gate slows down.

    r_t = σ(x_t W_r + b_r)                      recurrence gate: how fast the memory fades
    i_t = σ(x_t W_i + b_i)                      input gate
    a_t = a^(8 r_t),   a = σ(Λ)                 0 < a < 1 whatever Λ is
    h_t = a_t ⊙ h_{t-1} + √(1 - a_t²) ⊙ i_t ⊙ x_t,    y_t = h_t

Paper: S. De et al., "Griffin: Mixing Gated Linear Recurrences with Local Attention for Efficient Language
Models", 2024, arXiv:2402.19427, section 2.4. Variant: the recurrence alone, without the convolution and the
gated branch that the paper puts around it, and with √(1 - a_t²) at the first step, too, where the authors'
code has 1; gates read all features, as in the paper's equations, not blocks
of them, as in its code; where D ≠ H, x_t W_x stands for x_t in h_t; 1 - a_t² is at least 10⁻¹², which keeps
the derivative of its root finite.

Gate order in every packed array: r, i, then x where D ≠ H. Shapes: W `[D, 2H]` or `[D, 3H]`, b `[2H]`,
Λ `[H]`, x_t `[..., D]`, h_t `[..., H]`.
"""

import math
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax.typing import DTypeLike

from rnn_jax.cells.cell import (
    Array,
    Cell,
    HiddenState,
    Restarts,
    at_least_float32,
    check_sizes,
    product,
    zero_hidden,
)
from rnn_jax.cells.linear_scan import scan_states

POWER = 8.0  # c of the paper
DECAYS = 0.9, 0.999  # a^c at the start
SMALLEST = 1e-12


class RGLRUParams(NamedTuple):
    """Weights of a real-gated linear recurrent unit."""

    input_kernel: Array  # W [D, 2H] or [D, 3H], in the order r, i, x
    bias: Array  # b [2H], in the order r, i
    decay: Array  # Λ [H]

    @property
    def hidden_size(self) -> int:
        """H."""
        return self.decay.shape[-1]


def init(key: Array, input_size: int, hidden_size: int, dtype: DTypeLike = jnp.float32) -> RGLRUParams:
    """Draws parameters: W normal of variance 1/D, b zero, a⁸ uniform from 0.9 to 0.999, as in the paper.

    Raises:
        ValueError: if a size is below 1.
    """
    check_sizes(input_size, hidden_size)
    kernel_key, decay_key = jax.random.split(key)
    shape = input_size, hidden_size * (2 if input_size == hidden_size else 3)
    kernel = jax.random.normal(kernel_key, shape, jnp.float32) / math.sqrt(input_size)
    low, high = DECAYS
    powers = jax.random.uniform(decay_key, (hidden_size,), jnp.float32, minval=low, maxval=high)
    logarithm = jnp.log(powers) / POWER  # of a
    decay = logarithm - jnp.log(-jnp.expm1(logarithm))  # the log-odds of a
    return RGLRUParams(kernel.astype(dtype), jnp.zeros(2 * hidden_size, dtype), decay.astype(dtype))


def project(params: RGLRUParams, x: Array) -> Array:
    """`x W`, b for the gates, and x itself where W makes nothing in its place: `[..., D] -> [..., 3H]`."""
    size = params.hidden_size
    products = product(x, params.input_kernel)
    if products.shape[-1] == 2 * size:
        products = jnp.concatenate([products, x], axis=-1)
    return products + jnp.pad(params.bias, (0, size))


def _terms(params: RGLRUParams, z: Array) -> tuple[Array, Array]:
    """What a step multiplies the state by, and what it adds."""
    recurrence, enter, x = jnp.split(at_least_float32(z), 3, axis=-1)
    decay = jax.nn.log_sigmoid(at_least_float32(params.decay))
    logarithm = POWER * jax.nn.sigmoid(recurrence) * decay
    scale = jnp.sqrt(jnp.maximum(-jnp.expm1(2 * logarithm), SMALLEST))
    return jnp.exp(logarithm), scale * jax.nn.sigmoid(enter) * x


def advance(params: RGLRUParams, state: HiddenState, z: Array) -> tuple[HiddenState, Array]:
    """The new state: `z [..., 3H] -> (state, y [..., H])`."""
    factor, addend = _terms(params, z)
    hidden = (factor * state.hidden + addend).astype(z.dtype)
    return HiddenState(hidden), hidden


def advance_all(
    params: RGLRUParams, state: HiddenState, z: Array, restarts: Restarts | None = None
) -> tuple[HiddenState, Array]:
    """`advance` for all steps at once: `z [T, ..., 3H] -> (states [T, ...], y [T, ..., H])`."""
    states = scan_states(*_terms(params, z), state, restarts)
    return states, states.hidden


def gates(params: RGLRUParams, state: HiddenState, z: Array) -> dict[str, Array]:
    """The gates of a step; what enters is no candidate of its own, but the input."""
    recurrence, enter, _ = jnp.split(z, 3, axis=-1)
    return {"recurrence gate": jax.nn.sigmoid(recurrence), "input gate": jax.nn.sigmoid(enter)}


RG_LRU = Cell(init, zero_hidden, project, advance, advance_all=advance_all, gates=gates, diagonal=True)
