"""The simple recurrent unit, in both published variants.

    f_t = σ(x_t W_f + v_f ⊙ c_{t-1} + b_f)      forget gate
    r_t = σ(x_t W_r + v_r ⊙ c_{t-1} + b_r)      reset gate: how much of the memory shows
    c_t = f_t ⊙ c_{t-1} + (1 - f_t) ⊙ (x_t W_n)
    y_t = r_t ⊙ c_t + (1 - r_t) ⊙ α x_t         α = √3

`SRU`, as published: T. Lei, Y. Zhang, S. Wang, H. Dai and Y. Artzi, "Simple Recurrent Units for Highly
Parallelizable Recurrence", EMNLP 2018, arXiv:1709.02755v5.

`SRU_V1`, its first version (arXiv:1709.02755v1), whose gates do not see the memory (v = 0), shows tanh(c_t),
and does not scale (α = 1); linear in its state, so that all steps can be taken at once.

Variant: where D ≠ H, x_t W_x stands for x_t in y_t, as in the authors' code. That code begins with a random v
and with W_f and W_r smaller by √½; here v begins at zero, and all of W as the paper says.

Gate order in every packed array: n, f, r, then x where D ≠ H. Shapes: W `[D, 3H]` or `[D, 4H]`,
v and b `[2H]`, x_t `[..., D]`, c_t `[..., H]`.
"""

import math
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax.typing import DTypeLike

from rnn_jax.cells.cell import Array, Cell, Restarts, check_sizes, product
from rnn_jax.cells.linear_scan import scan_states

SCALE = math.sqrt(3)  # α = √(1 + 2 exp b_r) for the b_r that training starts from, which is 0


class SRUParams(NamedTuple):
    """Weights of a simple recurrent unit."""

    input_kernel: Array  # W [D, 3H] or [D, 4H], in the order n, f, r, x
    cell_weights: Array  # v [2H], in the order f, r
    bias: Array  # b [2H], in the order f, r

    @property
    def hidden_size(self) -> int:
        """H."""
        return self.bias.shape[-1] // 2


class SRUV1Params(NamedTuple):
    """Weights of a simple recurrent unit of the first version."""

    input_kernel: Array  # W [D, 3H] or [D, 4H], in the order n, f, r, x
    bias: Array  # b [2H], in the order f, r

    @property
    def hidden_size(self) -> int:
        """H."""
        return self.bias.shape[-1] // 2


class SRUState(NamedTuple):
    """What a simple recurrent unit remembers."""

    cell: Array  # c [..., H]


def init_v1(key: Array, input_size: int, hidden_size: int, dtype: DTypeLike = jnp.float32) -> SRUV1Params:
    """Draws parameters: W uniform in ±√(3/D), as published, b zero.

    Raises:
        ValueError: if a size is below 1.
    """
    check_sizes(input_size, hidden_size)
    shape = input_size, hidden_size * (3 if input_size == hidden_size else 4)
    bound = math.sqrt(3 / input_size)
    kernel = jax.random.uniform(key, shape, jnp.float32, minval=-bound, maxval=bound)
    return SRUV1Params(kernel.astype(dtype), jnp.zeros(2 * hidden_size, dtype))


def init(key: Array, input_size: int, hidden_size: int, dtype: DTypeLike = jnp.float32) -> SRUParams:
    """Draws parameters: as `init_v1`, and v zero, so that it begins as if its gates did not see the memory.

    Raises:
        ValueError: if a size is below 1.
    """
    kernel, bias = init_v1(key, input_size, hidden_size, dtype)
    return SRUParams(kernel, jnp.zeros(2 * hidden_size, dtype), bias)


def initial_state(params: SRUParams | SRUV1Params, batch_shape: tuple[int, ...]) -> SRUState:
    """A state of zeros in the type of the parameters."""
    return SRUState(jnp.zeros((*batch_shape, params.hidden_size), params.bias.dtype))


def project(params: SRUParams | SRUV1Params, x: Array) -> Array:
    """`x W`, b for the gates, and x itself where W makes nothing in its place: `[..., D] -> [..., 4H]`."""
    size = params.hidden_size
    products = product(x, params.input_kernel)
    if products.shape[-1] == 3 * size:
        products = jnp.concatenate([products, x], axis=-1)
    return products + jnp.pad(params.bias, (size, size))


def gates(params: SRUParams, state: SRUState, z: Array) -> dict[str, Array]:
    """The gates of a step, and its candidate."""
    candidate, a_f, a_r, _ = jnp.split(z, 4, axis=-1)
    v_f, v_r = jnp.split(params.cell_weights, 2)
    return {
        "forget gate": jax.nn.sigmoid(a_f + v_f * state.cell),
        "reset gate": jax.nn.sigmoid(a_r + v_r * state.cell),
        "candidate": candidate,
    }


def advance(params: SRUParams, state: SRUState, z: Array) -> tuple[SRUState, Array]:
    """The new state: `z [..., 4H] -> (state, y [..., H])`."""
    forget, reset, candidate = gates(params, state, z).values()
    memory = forget * state.cell + (1 - forget) * candidate
    x = z[..., 3 * params.hidden_size :]
    return SRUState(memory), reset * memory + (1 - reset) * SCALE * x


def gates_v1(params: SRUV1Params, state: SRUState, z: Array) -> dict[str, Array]:
    """The gates of a step, and its candidate."""
    candidate, a_f, a_r, _ = jnp.split(z, 4, axis=-1)
    return {
        "forget gate": jax.nn.sigmoid(a_f),
        "reset gate": jax.nn.sigmoid(a_r),
        "candidate": candidate,
    }


def advance_v1(params: SRUV1Params, state: SRUState, z: Array) -> tuple[SRUState, Array]:
    """The new state: `z [..., 4H] -> (state, y [..., H])`."""
    factor, addend = _terms(z)
    memory = factor * state.cell + addend
    return SRUState(memory), _show(memory, z)


def advance_all_v1(
    params: SRUV1Params, state: SRUState, z: Array, restarts: Restarts | None = None
) -> tuple[SRUState, Array]:
    """`advance_v1` for all steps at once: `z [T, ..., 4H] -> (states [T, ...], y [T, ..., H])`."""
    states = scan_states(*_terms(z), state, restarts)
    return states, _show(states.cell, z)


def _terms(z: Array) -> tuple[Array, Array]:
    """What a step of the first version multiplies the state by, and what it adds."""
    candidate, a_f, _, _ = jnp.split(z, 4, axis=-1)
    return jax.nn.sigmoid(a_f), jax.nn.sigmoid(-a_f) * candidate


def _show(memory: Array, z: Array) -> Array:
    """`r ⊙ tanh c + (1 - r) ⊙ x`."""
    _, _, a_r, x = jnp.split(z, 4, axis=-1)
    return jax.nn.sigmoid(a_r) * jnp.tanh(memory) + jax.nn.sigmoid(-a_r) * x


SRU = Cell(init, initial_state, project, advance, gates=gates, diagonal=True)
SRU_V1 = Cell(
    init_v1, initial_state, project, advance_v1, advance_all=advance_all_v1, gates=gates_v1, diagonal=True
)
