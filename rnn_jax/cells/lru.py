"""The linear recurrent unit: a linear recurrence of complex numbers, each with a pole of its own.

    c_t = λ ⊙ c_{t-1} + γ ⊙ (x_t B)             complex
    y_t = Re(c_t C) + x_t D

    λ = exp(-exp ν + i exp θ)                   |λ| < 1 whatever ν and θ are: the state never explodes
    γ = √(1 - |λ|²) at the start                keeps the state's size, whatever |λ| is

Paper: A. Orvieto et al., "Resurrecting Recurrent Neural Networks for Long Sequences", ICML 2023,
arXiv:2303.06349. Variant: the recurrence alone, without the gated layer, normalisation and skip connection
that the paper puts around it; as many states as outputs; D is a matrix, since x and y may differ in size; γ
is learnt as its logarithm.

Shapes: B and D `[D, H]` (B complex, as its real and imaginary part), C `[H, H]` (likewise), ν, θ and log γ
`[H]`, x_t `[..., D]`, c_t and y_t `[..., H]`.
"""

import math
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax.typing import DTypeLike

from rnn_jax.cells.cell import Array, Cell, Restarts, at_least_float32, check_sizes, product
from rnn_jax.cells.linear_scan import linear_scan

RADII = 0.9, 0.999  # |λ| at the start: a memory of about 10 to 1,000 steps


class LRUParams(NamedTuple):
    """Weights of a linear recurrent unit."""

    input_kernel: Array  # B, real parts then imaginary, then D: [D, 3H]
    output_kernel: Array  # C, real parts over imaginary: [2H, H]
    decay: Array  # ν [H]
    angle: Array  # θ [H]
    scale: Array  # log γ [H]

    @property
    def hidden_size(self) -> int:
        """H."""
        return self.decay.shape[-1]


class LRUState(NamedTuple):
    """What a linear recurrent unit remembers."""

    real: Array  # of c [..., H]
    imaginary: Array  # of c [..., H]


def init(key: Array, input_size: int, hidden_size: int, dtype: DTypeLike = jnp.float32) -> LRUParams:
    """Draws parameters: λ uniform on the ring of `RADII`, B, C and D normal with the paper's variances.

    Those are 1/2D for both parts of B, 1/H for both of C, and 1/D for D, which the paper draws of variance 1
    as a vector.

    Raises:
        ValueError: if a size is below 1.
    """
    check_sizes(input_size, hidden_size)
    keys = jax.random.split(key, 5)
    inner, outer = RADII
    uniform = partial(jax.random.uniform, dtype=jnp.float32)
    normal = partial(jax.random.normal, dtype=jnp.float32)
    squared = uniform(keys[0], (hidden_size,), minval=inner**2, maxval=outer**2)
    angle = uniform(keys[1], (hidden_size,), minval=1e-3, maxval=2 * math.pi)
    inputs = normal(keys[2], (input_size, 2 * hidden_size)) / math.sqrt(2 * input_size)
    skip = normal(keys[3], (input_size, hidden_size)) / math.sqrt(input_size)
    outputs = normal(keys[4], (2 * hidden_size, hidden_size)) / math.sqrt(hidden_size)
    drawn = LRUParams(
        jnp.concatenate([inputs, skip], axis=1),
        outputs,
        jnp.log(-0.5 * jnp.log(squared)),
        jnp.log(angle),
        0.5 * jnp.log(1 - squared),
    )
    return LRUParams(*(p.astype(dtype) for p in drawn))


def initial_state(params: LRUParams, batch_shape: tuple[int, ...]) -> LRUState:
    """A state of zeros in the type of the parameters."""
    shape, dtype = (*batch_shape, params.hidden_size), params.decay.dtype
    return LRUState(jnp.zeros(shape, dtype), jnp.zeros(shape, dtype))


def project(params: LRUParams, x: Array) -> Array:
    """`γ ⊙ (x B)`, real parts then imaginary, then `x D`: `[..., D] -> [..., 3H]`."""
    scale = jnp.exp(params.scale)
    return product(x, params.input_kernel) * jnp.concatenate([scale, scale, jnp.ones_like(scale)])


def _pole(params: LRUParams) -> Array:
    """λ `[H]`."""
    decay, angle = at_least_float32(params.decay), jnp.exp(at_least_float32(params.angle))
    radius = jnp.exp(-jnp.exp(decay))
    return jax.lax.complex(radius * jnp.cos(angle), radius * jnp.sin(angle))


def _complex(real: Array, imaginary: Array) -> Array:
    """`real + i imaginary`, of complex64 at least: there is no narrower complex type."""
    return jax.lax.complex(at_least_float32(real), at_least_float32(imaginary))


def _show(params: LRUParams, state: LRUState, skip: Array) -> Array:
    """`Re(c C) + x D`."""
    both = jnp.concatenate([state.real, -state.imaginary], axis=-1)
    return product(both, params.output_kernel) + skip


def advance(params: LRUParams, state: LRUState, z: Array) -> tuple[LRUState, Array]:
    """The new state: `z [..., 3H] -> (state, y [..., H])`."""
    real, imaginary, skip = jnp.split(z, 3, axis=-1)
    memory = _pole(params) * _complex(*state) + _complex(real, imaginary)
    state = LRUState(memory.real.astype(z.dtype), memory.imag.astype(z.dtype))
    return state, _show(params, state, skip)


def advance_all(
    params: LRUParams, state: LRUState, z: Array, restarts: Restarts | None = None
) -> tuple[LRUState, Array]:
    """`advance` for all steps at once: `z [T, ..., 3H] -> (states [T, ...], y [T, ..., H])`."""
    real, imaginary, skip = jnp.split(z, 3, axis=-1)
    addends = _complex(real, imaginary)
    factors = jnp.broadcast_to(_pole(params), addends.shape)
    restarts = restarts and restarts._replace(state=_complex(*restarts.state))
    memory = linear_scan(factors, addends, _complex(*state), restarts)
    states = LRUState(memory.real.astype(z.dtype), memory.imag.astype(z.dtype))
    return states, _show(params, states, skip)


LRU = Cell(init, initial_state, project, advance, advance_all=advance_all)
