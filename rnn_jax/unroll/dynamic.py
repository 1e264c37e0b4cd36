"""The dynamic unroll: `jax.lax.scan`, one compiled step whatever the length."""

from functools import partial

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from rnn_jax.cells.cell import Array, Cell, Params, State
from rnn_jax.unroll.arguments import check_arguments
from rnn_jax.unroll.sequence import Lengths, Unrolled
from rnn_jax.unroll.steps import Steps, run_step, to_steps


def dynamic(
    cell: Cell,
    params: Params,
    x: Array,
    lengths: Lengths | None = None,
    initial_state: State | None = None,
    resets: ArrayLike | None = None,
    *,
    reverse: bool = False,
    unroll: int = 1,
) -> Unrolled:
    """Runs the cell with `jax.lax.scan`; see `Unroll` for arguments and errors.

    Compile time does not grow with T. `unroll` steps are compiled into one iteration of the loop: worth
    trying on GPUs, where an iteration has a price of its own; on CPUs it has not paid.

    Example:
        >>> from rnn_jax.cells import LSTM
        >>> params = LSTM.init(jax.random.key(0), input_size=3, hidden_size=4)
        >>> outputs, state = dynamic(LSTM, params, jnp.ones((2, 5, 3)), lengths=[5, 2])
        >>> outputs.shape, state.hidden.shape
        ((2, 5, 4), (2, 4))
        >>> bool((outputs[1, 2:] == 0).all())  # padding
        True
    """
    arguments = check_arguments(cell, params, x, lengths, initial_state, resets)
    return scan_steps(cell, arguments.params, to_steps(cell, arguments, reverse), reverse, unroll)


def scan_steps(cell: Cell, params: Params, steps: Steps, reverse: bool, unroll: int = 1) -> Unrolled:
    """Runs the cell over sequences that are laid out for it."""
    state, outputs = jax.lax.scan(
        partial(run_step, cell, params, steps.fresh),
        steps.initial_state,
        (steps.x, steps.valid, steps.resets),
        reverse=reverse,
        unroll=unroll,
    )
    return Unrolled(jnp.swapaxes(outputs, 0, 1), state)
