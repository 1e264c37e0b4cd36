"""What all unrolls have in common: their signature."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from jax.typing import ArrayLike

from rnn_jax.cells.cell import Array, Cell, Params, State

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
        resets: where within a row another sequence begins, booleans `[B, T]`, true at its first step: the
            state becomes the cell's initial state before that step, or, in reverse, before the step ahead of
            it. So each sequence of a row is run as if it were alone, but for the first of them (in reverse,
            the last), which goes on from `initial_state`. Padded steps begin nothing. None by default.
        reverse: whether to run from each sequence's own last step to its first. Outputs stay in the order
            of the inputs: `outputs[:, t]` has seen the steps t and later.

    Raises:
        ValueError: if x is not real numbers `[B, T, D]`, lengths are not integers `[B]` from 0 to T, the
            initial state is not one of the cell's for B sequences, or resets are not booleans `[B, T]`.
    """

    def __call__(
        self,
        cell: Cell,
        params: Params,
        x: Array,
        lengths: Lengths | None = None,
        initial_state: State | None = None,
        resets: ArrayLike | None = None,
        *,
        reverse: bool = False,
    ) -> Unrolled:
        """Runs the cell over the sequences."""
