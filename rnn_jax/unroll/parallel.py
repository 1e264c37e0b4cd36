"""The parallel unroll: all steps at once, for cells that are linear in their state."""

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from rnn_jax.cells.cell import AdvanceAll, Array, Cell, Params, Restarts, State
from rnn_jax.unroll.arguments import Arguments, check_arguments
from rnn_jax.unroll.fused import fused
from rnn_jax.unroll.sequence import Lengths, Unrolled
from rnn_jax.unroll.steps import first_steps, own_steps_reversed, to_steps


def parallel(
    cell: Cell,
    params: Params,
    x: Array,
    lengths: Lengths | None = None,
    initial_state: State | None = None,
    resets: ArrayLike | None = None,
    *,
    reverse: bool = False,
) -> Unrolled:
    """Runs the cell by an associative scan; see `Unroll` for arguments and errors.

    About 2 log₂ T operations follow each other instead of T, on arrays of all steps: twice the work, for
    devices that can do it at once. A cell that is not linear in its state (its `advance_all` is None) is run
    by `fused`.

    Example:
        >>> from rnn_jax.cells import CELLS
        >>> cell = CELLS["mingru"]
        >>> params = cell.init(jax.random.key(0), input_size=3, hidden_size=4)
        >>> parallel(cell, params, jnp.ones((2, 5, 3)), reverse=True).outputs.shape
        (2, 5, 4)
    """
    if cell.advance_all is None:
        return fused(cell, params, x, lengths, initial_state, resets, reverse=reverse)
    arguments = check_arguments(cell, params, x, lengths, initial_state, resets)
    return run_at_once(cell, cell.advance_all, arguments, reverse)


def run_at_once(cell: Cell, advance_all: AdvanceAll, arguments: Arguments, reverse: bool) -> Unrolled:
    """Runs the cell by what takes all of its steps at once."""
    params, x, lengths, _, resets = arguments
    ends = jnp.full(len(x), x.shape[1], jnp.int32) if lengths is None else lengths
    if reverse:
        turn = lambda a: own_steps_reversed(a, ends)  # noqa: E731
        begun = None if resets is None else turn(first_steps(resets, lengths, reverse)[..., None])[..., 0]
        arguments = arguments._replace(x=turn(x), resets=begun)
    steps = to_steps(cell, arguments, reverse=False)
    restarts = None if steps.resets is None else Restarts(steps.resets, steps.fresh)
    # What follows a sequence's own last step changes none of its steps, so that nothing is masked on the way.
    states, outputs = advance_all(params, steps.initial_state, cell.project(params, steps.x), restarts)
    if steps.valid is not None:
        outputs = jnp.where(steps.valid, outputs, jnp.zeros((), outputs.dtype))
    outputs = jnp.swapaxes(outputs, 0, 1)

    def after_last(states: Array, initial: Array) -> Array:
        """The state `[B, H]` after each sequence's own last step."""
        before = jnp.concatenate([initial[None], states])
        return jnp.take_along_axis(before, ends[None, :, None], axis=0)[0]

    state = jax.tree.map(after_last, states, steps.initial_state)
    return Unrolled(own_steps_reversed(outputs, ends) if reverse else outputs, state)
