"""The static unroll: a Python loop, every step compiled on its own."""

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from rnn_jax.cells.cell import Array, Cell, Params, State
from rnn_jax.unroll.arguments import check_arguments
from rnn_jax.unroll.sequence import Lengths, Unrolled
from rnn_jax.unroll.steps import run_step, to_steps


def static(
    cell: Cell,
    params: Params,
    x: Array,
    lengths: Lengths | None = None,
    initial_state: State | None = None,
    resets: ArrayLike | None = None,
    *,
    reverse: bool = False,
) -> Unrolled:
    """Runs the cell in a Python loop; see `Unroll` for arguments and errors.

    The compiler sees all T steps at once, and can fuse across them; its time and memory grow with T.

    Example:
        >>> from rnn_jax.cells import LSTM
        >>> params = LSTM.init(jax.random.key(0), input_size=3, hidden_size=4)
        >>> x = jnp.ones((2, 6, 3))
        >>> first, state = static(LSTM, params, x[:, :2])
        >>> rest, _ = static(LSTM, params, x[:, 2:], initial_state=state)  # goes on from there
        >>> rest.shape
        (2, 4, 4)
    """
    arguments = check_arguments(cell, params, x, lengths, initial_state, resets)
    steps, params = to_steps(cell, arguments, reverse), arguments.params
    time, batch, _ = steps.x.shape
    state, dtype = steps.initial_state, steps.x.dtype
    outputs: list[Array] = [jnp.zeros((batch, params.hidden_size), dtype)] * time
    for t in reversed(range(time)) if reverse else range(time):
        step = jax.tree.map(lambda a: a[t], (steps.x, steps.valid, steps.resets))  # noqa: B023
        state, outputs[t] = run_step(cell, params, steps.fresh, state, step)
    if not outputs:  # T = 0: nothing to stack
        return Unrolled(jnp.zeros((batch, 0, params.hidden_size), dtype), state)
    return Unrolled(jnp.stack(outputs, axis=1), state)
