"""The checkpointed unroll: for sequences whose states would not fit into memory.

Chunks of about √T steps keep only the state they began with, and are run again in the backward pass: about
2√T states are alive at any time instead of T (T. Chen et al., "Training Deep Nets with Sublinear Memory
Cost", 2016, arXiv:1604.06174).
"""

import math
from functools import partial

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from rnn_jax.cells.cell import Array, Cell, Params, State
from rnn_jax.unroll.arguments import check_arguments
from rnn_jax.unroll.fused import fuse_steps
from rnn_jax.unroll.sequence import Lengths, Unrolled
from rnn_jax.unroll.steps import Steps, to_steps


def checkpointed(
    cell: Cell,
    params: Params,
    x: Array,
    lengths: Lengths | None = None,
    initial_state: State | None = None,
    resets: ArrayLike | None = None,
    *,
    reverse: bool = False,
    chunk: int | None = None,
) -> Unrolled:
    """Runs the cell chunk by chunk, and each chunk again in the backward pass; see `Unroll` for the rest.

    `chunk` is the number of steps in one, √T by default; `fused` runs it. Training costs another forward
    pass; where no gradient is taken, nothing is run twice.

    Example:
        >>> from rnn_jax.cells import LSTM
        >>> params = LSTM.init(jax.random.key(0), input_size=3, hidden_size=4)
        >>> loss = lambda params: checkpointed(LSTM, params, jnp.ones((2, 100, 3))).outputs.sum()
        >>> jax.grad(loss)(params).bias.shape
        (16,)
    """
    arguments = check_arguments(cell, params, x, lengths, initial_state, resets)
    params, steps = arguments.params, to_steps(cell, arguments, reverse)
    time, batch, _ = steps.x.shape
    if time == 0:
        return fuse_steps(cell, params, steps, reverse)
    length = min(chunk or math.isqrt(time - 1) + 1, time)
    count = -(-time // length)
    padding = count * length - time
    if padding and steps.valid is None:
        steps = steps._replace(valid=jnp.ones((time, batch, 1), bool))

    def cut(a: Array) -> Array:
        """`[T, B, F] -> [N, C, B, F]`."""
        padded = jnp.pad(a, [(0, padding), (0, 0), (0, 0)])
        return padded.reshape(count, length, *a.shape[1:])

    @partial(jax.checkpoint, prevent_cse=False)  # inside a scan, nothing is there to be merged with
    def run(params: Params, steps: Steps) -> Unrolled:
        return fuse_steps(cell, params, steps, reverse)

    def run_chunk(state: State, chunk: tuple[Array, Array | None, Array | None]) -> tuple[State, Array]:
        outputs, state = run(params, Steps(*chunk, state, steps.fresh))
        return state, outputs

    chunks = jax.tree.map(cut, (steps.x, steps.valid, steps.resets))
    state, outputs = jax.lax.scan(run_chunk, steps.initial_state, chunks, reverse=reverse)
    return Unrolled(outputs.swapaxes(0, 1).reshape(batch, count * length, outputs.shape[-1])[:, :time], state)
