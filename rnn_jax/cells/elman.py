"""The simple recurrent network of Elman.

    h_t = φ(x_t W + h_{t-1} U + b),    y_t = h_t

Paper: J. L. Elman, "Finding Structure in Time", Cognitive Science 14 (1990). Variant: φ is tanh (`ELMAN`;
Elman used the logistic function) or max(0, ·) (`ELMAN_RELU`; Le, Jaitly and Hinton, 2015, arXiv:1504.00941,
whose identity start for U is taken here too: without it the activations of a long text explode).

Shapes: W `[D, H]`, U `[H, H]`, b `[H]`, x_t `[..., D]`, h_t `[..., H]`.
"""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax.typing import DTypeLike

from rnn_jax.cells.cell import (
    Array,
    Cell,
    Fusion,
    HiddenState,
    affine,
    draw_weights,
    kernel_gradient,
    mix,
    zero_hidden,
)


class ElmanParams(NamedTuple):
    """Weights of an Elman cell."""

    input_kernel: Array  # W [D, H]
    recurrent_kernel: Array  # U [H, H]
    bias: Array  # b [H]

    @property
    def hidden_size(self) -> int:
        """H."""
        return self.recurrent_kernel.shape[-2]


def init(
    key: Array, input_size: int, hidden_size: int, dtype: DTypeLike = jnp.float32, *, identity: bool = False
) -> ElmanParams:
    """Draws parameters: W Glorot-uniform, U orthogonal or (`identity`) the identity, b zero.

    Raises:
        ValueError: if a size is below 1.
    """
    params = ElmanParams(*draw_weights(key, input_size, hidden_size, 1, dtype))
    return params._replace(recurrent_kernel=jnp.eye(hidden_size, dtype=dtype)) if identity else params


def combine(
    state: HiddenState, z: Array, m: Array, *, activation: Callable[[Array], Array]
) -> tuple[HiddenState, tuple[()]]:
    """`φ(z + m)`, which is all that the backward pass needs."""
    return HiddenState(activation(z + m)), ()


def gradients(
    saved: tuple[()],
    previous: HiddenState,
    state: HiddenState,
    d_state: HiddenState,
    *,
    slope: Callable[[Array], Array],
) -> tuple[HiddenState, Array, Array]:
    """Back through `combine`: `da = dh ⊙ φ'`, with φ' from the value of φ."""
    da = d_state.hidden * slope(state.hidden)
    return HiddenState(jnp.zeros_like(da)), da, da


def weight_gradients(x: Array, hidden: Array, dz: Array, dm: Array) -> ElmanParams:
    """Gradients of the weights; here dm is dz."""
    return ElmanParams(kernel_gradient(x, dz), kernel_gradient(hidden, dm), dz.sum(axis=0))


def make(
    activation: Callable[[Array], Array], slope: Callable[[Array], Array], *, identity: bool = False
) -> Cell:
    """The cell of an activation φ, and of φ' as a function of φ's value."""

    def advance(params: ElmanParams, state: HiddenState, z: Array) -> tuple[HiddenState, Array]:
        """`h = φ(z + h U)`: `z [..., H] -> (state, y [..., H])`."""
        state, _ = combine(state, z, mix(params, state), activation=activation)
        return state, state.hidden

    fusion = Fusion(
        mix, partial(combine, activation=activation), partial(gradients, slope=slope), weight_gradients
    )
    return Cell(partial(init, identity=identity), zero_hidden, affine, advance, fusion)


ELMAN = make(jnp.tanh, lambda y: 1 - y * y)
ELMAN_RELU = make(jax.nn.relu, lambda y: (y > 0).astype(y.dtype), identity=True)
