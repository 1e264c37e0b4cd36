"""The selective state space (S6, of Mamba): N memories a unit, and inputs that decide what they take.

    Δ_t = softplus(x_t W_Δ + b_Δ)               step size of each unit: how much of the input enters
    B_t = x_t W_B,    C_t = x_t W_C             what enters each memory, and what is shown of it
    S_t = exp(Δ_t A) ⊙ S_{t-1} + (Δ_t ⊙ x_t) B_t           memories of all units, a matrix; A = -e^a
    y_t = S_t C_t + d ⊙ x_t

Here Δ_t and x_t are of a unit, B_t and C_t of a memory: memory n of unit h is scaled by exp(Δ_{t,h} A_{hn}),
and takes Δ_{t,h} x_{t,h} B_{t,n}.

Paper: A. Gu and T. Dao, "Mamba: Linear-Time Sequence Modeling with Selective State Spaces", 2023,
arXiv:2312.00752, algorithm 2. Variant: the recurrence alone, without the convolution and the gated branch of
Mamba's block; W_Δ is of full rank; where D ≠ H, x_t W_x stands for x_t behind Δ_t and d; B is made discrete
by Δ_t B_t, as in the authors' code; products beyond ±10⁶ count as that, since four of them are multiplied.

Order in every packed array: Δ, B, C, then x where D ≠ H. Shapes: W `[D, H + 2N]` or `[D, 2H + 2N]`, b `[H]`,
a `[H, N]`, d `[H]`, x_t `[..., D]`, S_t `[..., H N]`, y_t `[..., H]`.
"""

import math
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax.typing import DTypeLike

from rnn_jax.cells.cell import Array, Cell, Restarts, at_least_float32, check_sizes, product
from rnn_jax.cells.linear_scan import scan_states

MEMORIES = 16  # N
STEP_SIZES = 0.001, 0.1  # Δ at the start
LARGEST = 1e6


class S6Params(NamedTuple):
    """Weights of a selective state space."""

    input_kernel: Array  # W [D, H + 2N] or [D, 2H + 2N], in the order Δ, B, C, x
    bias: Array  # b of Δ [H]
    log_rates: Array  # a [H, N]
    skip: Array  # d [H]

    @property
    def hidden_size(self) -> int:
        """H."""
        return self.skip.shape[-1]


class S6State(NamedTuple):
    """What a selective state space remembers."""

    memory: Array  # S [..., H N]


def init(key: Array, input_size: int, hidden_size: int, dtype: DTypeLike = jnp.float32) -> S6Params:
    """Draws parameters: W normal of variance 1/D.

    The others begin as the authors': d is one, A is -1 … -N in each unit, and b is so that Δ is from 0.001 to
    0.1 for an input of zero, uniform in its logarithm.

    Raises:
        ValueError: if a size is below 1.
    """
    check_sizes(input_size, hidden_size)
    kernel_key, bias_key = jax.random.split(key)
    inputs = 0 if input_size == hidden_size else hidden_size
    shape = input_size, hidden_size + 2 * MEMORIES + inputs
    kernel = jax.random.normal(kernel_key, shape, jnp.float32) / math.sqrt(input_size)
    low, high = map(math.log, STEP_SIZES)
    steps = jnp.exp(jax.random.uniform(bias_key, (hidden_size,), jnp.float32, minval=low, maxval=high))
    rates = jnp.tile(jnp.log(jnp.arange(1, MEMORIES + 1, dtype=jnp.float32)), (hidden_size, 1))
    drawn = S6Params(kernel, jnp.log(jnp.expm1(steps)), rates, jnp.ones(hidden_size))
    return S6Params(*(p.astype(dtype) for p in drawn))


def initial_state(params: S6Params, batch_shape: tuple[int, ...]) -> S6State:
    """A state of zeros in the type of the parameters."""
    return S6State(jnp.zeros((*batch_shape, params.log_rates.size), params.bias.dtype))


def project(params: S6Params, x: Array) -> Array:
    """`x W`, b for Δ, and x itself where W makes nothing in its place: `[..., D] -> [..., 2H + 2N]`."""
    units, memories = params.log_rates.shape
    products = product(x, params.input_kernel)
    if products.shape[-1] == units + 2 * memories:
        products = jnp.concatenate([products, x], axis=-1)
    return jnp.clip(products + jnp.pad(params.bias, (0, 2 * memories + units)), -LARGEST, LARGEST)


def _split(params: S6Params, z: Array) -> tuple[Array, Array, Array, Array]:
    """Δ and x of each unit, B and C of each memory."""
    units, memories = params.log_rates.shape
    step, enter, show, x = jnp.split(z, [units, units + memories, units + 2 * memories], axis=-1)
    return jax.nn.softplus(step), x, enter, show


def _terms(params: S6Params, z: Array) -> tuple[Array, Array]:
    """What a step multiplies each memory by, and what it adds: `[..., H N]` both."""
    step, x, enter, _ = _split(params, at_least_float32(z))
    factors = jnp.exp(-step[..., None] * jnp.exp(at_least_float32(params.log_rates)))
    addends = (step * x)[..., None] * enter[..., None, :]
    shape = *z.shape[:-1], params.log_rates.size
    return factors.reshape(shape), addends.reshape(shape)


def _show(params: S6Params, memory: Array, z: Array) -> Array:
    """`S C + d ⊙ x`."""
    _, x, _, show = _split(params, z)
    of_units = memory.reshape(*memory.shape[:-1], *params.log_rates.shape)
    return (of_units * show[..., None, :]).sum(axis=-1) + params.skip * x


def advance(params: S6Params, state: S6State, z: Array) -> tuple[S6State, Array]:
    """The new state: `z [..., 2H + 2N] -> (state, y [..., H])`."""
    factor, addend = _terms(params, z)
    memory = (factor * state.memory + addend).astype(z.dtype)
    return S6State(memory), _show(params, memory, z)


def advance_all(
    params: S6Params, state: S6State, z: Array, restarts: Restarts | None = None
) -> tuple[S6State, Array]:
    """`advance` for all steps at once: `z [T, ..., 2H + 2N] -> (states [T, ...], y [T, ..., H])`."""
    states = scan_states(*_terms(params, z), state, restarts)
    return states, _show(params, states.memory, z)


S6 = Cell(init, initial_state, project, advance, advance_all=advance_all, diagonal=True)
