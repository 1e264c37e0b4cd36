"""Gradients of the state that are clipped at every step."""

from functools import cache
from typing import NamedTuple

import jax
import jax.numpy as jnp

from rnn_jax.cells.cell import Array, Cell, Params, State
from rnn_jax.cells.wrapped import wrap


class ClippedParams(NamedTuple):
    """A cell's parameters, and the largest gradient that passes from a step to the one before."""

    params: Params
    largest: float

    @property
    def hidden_size(self) -> int:
        """H."""
        size: int = self.params.hidden_size
        return size


@cache  # the same cell each time, so that what is compiled for it is found again
def clipped(cell: Cell) -> Cell:
    """A cell that clips the gradient of the state before a step, number by number; its values stay.

    Paper: A. Graves, "Generating Sequences With Recurrent Neural Networks", 2013, arXiv:1308.0850, section
    2.1. Variant: he clips what enters the gates, here it is what goes back to the step before. All steps at
    once (`advance_all`) know no such thing: they run one after the other.

    Example:
        >>> from rnn_jax.cells import GRU
        >>> params = ClippedParams(GRU.init(jax.random.key(0), 3, 4), largest=1.0)
        >>> state = GRU.initial_state(params.params, ())
        >>> large = lambda s: 100 * clipped(GRU).step(params, s, jax.numpy.ones(3))[1].sum()
        >>> float(jax.grad(large)(state).hidden.max())
        1.0
    """

    def advance(params: ClippedParams, state: State, z: Array) -> tuple[State, Array]:
        return cell.advance(params.params, _limited(state, params.largest), z)

    own = wrap(cell, advance=advance, advance_all=None, diagonal=False)
    if own.fusion is None:
        return own
    clip = own.fusion.clip_gradient

    def clip_gradient(params: ClippedParams, d_state: State) -> State:
        return _clip(clip(params, d_state), params.largest)

    return own._replace(fusion=own.fusion._replace(clip_gradient=clip_gradient))


@jax.custom_vjp
def _limited(state: State, largest: float) -> State:
    """The state itself."""
    return state


def _clip(gradient: State, largest: Array | float) -> State:
    """Each number but those of counters, which have no gradient."""
    clip = lambda d: d.clip(-largest, largest) if jax.dtypes.issubdtype(d.dtype, jnp.floating) else d  # noqa: E731
    return jax.tree.map(clip, gradient)


_limited.defvjp(
    lambda state, largest: (state, largest), lambda largest, gradient: (_clip(gradient, largest), None)
)
