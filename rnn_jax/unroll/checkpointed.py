"""The checkpointed unroll: for sequences whose states would not fit into memory.

Chunks of about √T steps keep only the state they began with, and are run again in the backward pass: about
2√T states are alive at any time instead of T (T. Chen et al., "Training Deep Nets with Sublinear Memory
Cost", 2016, arXiv:1604.06174).
"""

import math
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp

from rnn_jax.cells.cell import Array, Cell, Params, State
from rnn_jax.unroll.arguments import check_arguments
from rnn_jax.unroll.fused import fused
from rnn_jax.unroll.sequence import Lengths, Unrolled


def checkpointed(
    cell: Cell,
    params: Params,
    x: Array,
    lengths: Lengths | None = None,
    initial_state: State | None = None,
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
    params, x, lengths, initial_state = check_arguments(cell, params, x, lengths, initial_state)
    batch, time, size = x.shape
    if time == 0:
        return fused(cell, params, x, lengths, initial_state, reverse=reverse)
    length = min(chunk or math.isqrt(time - 1) + 1, time)
    count = -(-time // length)
    padding = count * length - time
    if padding and lengths is None:
        lengths = jnp.full(batch, time, jnp.int32)
    pieces = jnp.pad(x, [(0, 0), (0, padding), (0, 0)]).reshape(batch, count, length, size).swapaxes(0, 1)
    starts = length * jnp.arange(count, dtype=jnp.int32)[:, None]
    counts = None if lengths is None else jnp.clip(lengths - starts, 0, length)

    @partial(jax.checkpoint, prevent_cse=False)  # inside a scan, nothing is there to be merged with
    def run(params: Params, state: State, x: Array, lengths: Array | None) -> Unrolled:
        return fused(cell, params, x, lengths, state, reverse=reverse)

    def run_chunk(state: State, piece: tuple[Array, Any]) -> tuple[State, Array]:
        outputs, state = run(params, state, *piece)
        return state, outputs

    state, outputs = jax.lax.scan(run_chunk, initial_state, (pieces, counts), reverse=reverse)
    return Unrolled(outputs.swapaxes(0, 1).reshape(batch, count * length, outputs.shape[-1])[:, :time], state)
