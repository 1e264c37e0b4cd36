"""The hoisted unroll: of what a step does, only what needs the step before stays in the loop.

All inputs are projected by one product before the loop, and all weight gradients made by one after it: with
derivatives by hand as in `fused`, with all steps as one chunk. A turn of the loop runs several steps, and a
layer of both directions runs them in one loop. That is for processors which a small product keeps busy for
less time than it takes to launch it, or to move what a step leaves behind: GPUs, and by their compiler's
estimate TPUs.

Paper: J. Appleyard, T. Kočiský and P. Blunsom, "Optimizing Performance of Recurrent Neural Networks on GPUs",
2016, arXiv:1604.01946.
"""

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from rnn_jax.cells.cell import Array, Cell, Params, State, product_precision
from rnn_jax.unroll.arguments import Arguments, check_arguments
from rnn_jax.unroll.dynamic import scan_steps
from rnn_jax.unroll.fused import Setup, run_steps
from rnn_jax.unroll.sequence import Lengths, Unrolled
from rnn_jax.unroll.steps import to_steps

TURN = 8  # steps a turn of the loop


def hoisted(
    cell: Cell,
    params: Params,
    x: Array,
    lengths: Lengths | None = None,
    initial_state: State | None = None,
    resets: ArrayLike | None = None,
    *,
    reverse: bool = False,
) -> Unrolled:
    """Runs the cell with little in the loop, and derivatives by hand; see `Unroll` for arguments and errors.

    It is `fused` otherwise: values and gradients are the same up to the order of additions, and it can be
    mapped and differentiated as that. It takes more memory: that of all inputs of all gates. A cell that
    cannot be taken apart (its `fusion` is None) is run by `dynamic`, as many steps a turn.

    Example:
        >>> from rnn_jax.cells import LSTM
        >>> params = LSTM.init(jax.random.key(0), input_size=3, hidden_size=4)
        >>> loss = lambda params: hoisted(LSTM, params, jnp.ones((2, 5, 3))).outputs.sum()
        >>> jax.grad(loss)(params).recurrent_kernel.shape
        (4, 16)
    """
    arguments = check_arguments(cell, params, x, lengths, initial_state, resets)
    steps = to_steps(cell, arguments, reverse)
    if cell.fusion is None:
        return scan_steps(cell, arguments.params, steps, reverse, TURN)
    return run_steps(_setup(cell, arguments.x, reverse), arguments.params, steps)


def both_hoisted(cell: Cell, forward: Arguments, backward: Arguments) -> tuple[Unrolled, Unrolled]:
    """Runs a cell forward and one backward, in one loop, over arguments of the same shapes and types."""
    there, back = to_steps(cell, forward, reverse=False), to_steps(cell, backward, reverse=True)
    # The backward half runs forward over reversed steps: padding comes first, and changes nothing.
    steps = {"x": back.x, "valid": back.valid, "resets": back.resets}
    back = back._replace(**jax.tree.map(lambda a: a[::-1], steps))
    pair = jax.tree.map(lambda *a: jnp.stack(a), (forward.params, there), (backward.params, back))
    setup = _setup(cell, forward.x, reverse=False)
    found = jax.vmap(lambda *own: run_steps(setup, *own))(*pair)
    one, other = (jax.tree.map(lambda a: a[half], found) for half in (0, 1))  # noqa: B023
    return one, other._replace(outputs=other.outputs[:, ::-1])


def _setup(cell: Cell, x: Array, reverse: bool) -> Setup:
    return Setup(cell, reverse, max(1, x.shape[1]), product_precision(), TURN)
