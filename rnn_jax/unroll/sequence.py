"""What all unrolls have in common: their signature, masking, and the layout in memory.

At the border arrays are batch-major, `[B, T, ...]`; inside, steps come first, because a step needs one
contiguous `[B, D]` slice.
"""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from rnn_jax.cells.cell import Array, Cell, Params, State

LARGEST_INPUT = 1e15  # beyond it, products and what adds up over many steps could overflow: inf - inf is NaN

Lengths = ArrayLike | Sequence[int]  # integers [B]


class Unrolled(NamedTuple):
    """A cell run over sequences."""

    outputs: Array  # [B, T, H], zero at padded steps
    state: State  # [B, H] each, after each sequence's own last step


class Unroll(Protocol):
    """The signature of all unrolls.

    Inputs beyond ±1e15 count as ±1e15, so that whatever is finite stays so. Padding never changes an output,
    a state or a gradient, whatever the padded inputs hold. A sequence of length 0 ends in its initial state.

    Everything is computed in one type: the one that JAX promotes the parameters, x and the initial state to,
    `jnp.result_type`. Outputs and the state are of that type; gradients are of the type of their arguments.

    Args:
        cell: the cell.
        params: its parameters.
        x: inputs `[B, T, D]`, real numbers; B and T may be 0.
        lengths: how many leading steps of each sequence count, integers `[B]` from 0 to T; all by default.
            Inside `jax.jit`, where they cannot be looked at, a length above T counts as T, and one below 0
            as 0.
        initial_state: `[B, H]` each; zeros by default. The state of one call, given to the next, goes on
            with the same sequences, so that long texts can be streamed.
        reverse: whether to run from each sequence's own last step to its first. Outputs stay in the order
            of the inputs: `outputs[:, t]` has seen the steps t and later.

    Raises:
        ValueError: if x is not real numbers `[B, T, D]`, lengths are not integers `[B]` from 0 to T, or the
            initial state is not one of the cell's for B sequences.
    """

    def __call__(
        self,
        cell: Cell,
        params: Params,
        x: Array,
        lengths: Lengths | None = None,
        initial_state: State | None = None,
        *,
        reverse: bool = False,
    ) -> Unrolled:
        """Runs the cell over the sequences."""


class Steps(NamedTuple):
    """Sequences laid out for stepping."""

    x: Array  # [T, B, D], zero where padded
    valid: Array | None  # [T, B, 1], whether a step counts; None where all do
    initial_state: State


def valid_steps(lengths: Array, time: int) -> Array:
    """Which of T steps count, `[B, T, 1]`, for sequences of these lengths, `[B]`."""
    return (jnp.arange(time) < lengths[:, None])[..., None]


def clip_inputs(x: Array) -> Array:
    """Inputs no larger than any cell can take."""
    return jnp.clip(x, -LARGEST_INPUT, LARGEST_INPUT)


def to_steps(x: Array, lengths: Array | None, initial_state: State) -> Steps:
    """Lays out the checked arguments of an unroll."""
    time = x.shape[1]
    x = jnp.swapaxes(clip_inputs(x), 0, 1)
    if lengths is None:
        return Steps(x, None, initial_state)
    valid = (jnp.arange(time)[:, None] < lengths)[..., None]
    # A masked step still computes. Zeros keep it finite, and so its gradient, which the mask multiplies by 0.
    return Steps(jnp.where(valid, x, jnp.zeros((), x.dtype)), valid, initial_state)


def own_steps_reversed(a: Array, lengths: Array) -> Array:
    """Each sequence's own steps from the last to the first, `a [B, T, F]`; padding stays where it is."""
    steps, last = jnp.arange(a.shape[1]), lengths[:, None] - 1
    order = jnp.where(steps <= last, last - steps, steps)
    return jnp.take_along_axis(a, order[..., None], axis=1)


def masked_step(
    cell: Cell, params: Params, state: State, x: Array, valid: Array | None
) -> tuple[State, Array]:
    """A step that leaves the state alone, and outputs zeros, where `valid [B, 1]` is false."""
    new_state, y = cell.step(params, state, x)
    if valid is None:
        return new_state, y
    state = jax.tree.map(lambda new, old: jnp.where(valid, new, old), new_state, state)
    return state, jnp.where(valid, y, jnp.zeros((), y.dtype))
