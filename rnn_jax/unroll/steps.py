"""Sequences laid out for stepping, and what is left out or begun anew on the way.

At the border arrays are batch-major, `[B, T, ...]`; inside, steps come first, because a step needs one
contiguous `[B, D]` slice.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from rnn_jax.cells.cell import Array, Cell, Params, State
from rnn_jax.unroll.arguments import Arguments, vary_alike

LARGEST_INPUT = 1e15  # beyond it, products and what adds up over many steps could overflow: inf - inf is NaN


class Steps(NamedTuple):
    """Sequences laid out for stepping."""

    x: Array  # [T, B, D], zero where padded
    valid: Array | None  # [T, B, 1], whether a step counts; None where all do
    resets: Array | None  # [T, B, 1], whether a step runs from `fresh`; None where none does
    initial_state: State
    fresh: State | None  # [B, H] each, the cell's initial state; None without resets


def to_steps(cell: Cell, arguments: Arguments, reverse: bool) -> Steps:
    """Lays out the checked arguments of an unroll."""
    params, x, lengths, initial_state, resets = arguments
    batch, time, _ = x.shape
    x, valid = jnp.swapaxes(clip_inputs(x), 0, 1), None
    if lengths is not None:
        valid = (jnp.arange(time)[:, None] < lengths)[..., None]
        # A masked step still computes. Zeros keep it finite, and so its gradient, which the mask multiplies
        # by 0.
        x = jnp.where(valid, x, jnp.zeros((), x.dtype))
    if resets is None:
        return Steps(x, valid, None, initial_state, None)
    fresh, _ = vary_alike((cell.initial_state(params, (batch,)), x))
    first = jnp.swapaxes(first_steps(resets, lengths, reverse), 0, 1)[..., None]
    return Steps(x, valid, first, initial_state, fresh)


def first_steps(resets: Array, lengths: Array | None, reverse: bool) -> Array:
    """The steps that run from the cell's initial state, `[B, T]`: in reverse, those ahead of a reset."""
    if lengths is not None:
        resets = resets & (jnp.arange(resets.shape[1]) < lengths[:, None])
    return jnp.pad(resets, [(0, 0), (0, 1)])[:, 1:] if reverse else resets


def valid_steps(lengths: Array, time: int) -> Array:
    """Which of T steps count, `[B, T, 1]`, for sequences of these lengths, `[B]`."""
    return (jnp.arange(time) < lengths[:, None])[..., None]


def clip_inputs(x: Array) -> Array:
    """Inputs no larger than any cell can take."""
    return jnp.clip(x, -LARGEST_INPUT, LARGEST_INPUT)


def own_steps_reversed(a: Array, lengths: Array) -> Array:
    """Each sequence's own steps from the last to the first, `a [B, T, F]`; padding stays where it is."""
    steps, last = jnp.arange(a.shape[1]), lengths[:, None] - 1
    order = jnp.where(steps <= last, last - steps, steps)
    return jnp.take_along_axis(a, order[..., None], axis=1)


def choose(chosen: Array, new: State, old: State) -> State:
    """The new state where `chosen [B, 1]`, the old one elsewhere."""
    return jax.tree.map(lambda n, o: jnp.where(chosen, n, o), new, old)


def run_step(
    cell: Cell,
    params: Params,
    fresh: State | None,
    state: State,
    step: tuple[Array, Array | None, Array | None],
) -> tuple[State, Array]:
    """A step of `(x, valid, reset)`, from the fresh state where it is reset.

    Where it does not count, the state stays and the output is zero.
    """
    x, valid, reset = step
    if reset is not None:
        state = choose(reset, fresh, state)
    new_state, y = cell.step(params, state, x)
    if valid is None:
        return new_state, y
    return choose(valid, new_state, state), jnp.where(valid, y, jnp.zeros((), y.dtype))
