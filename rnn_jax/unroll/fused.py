"""The fused unroll: a scan whose way back is written by hand.

Differentiated as it stands, a scan adds up weight gradients step by step, with a product of B rows and an
addition of whole matrices in each. Here the way back through a step makes the gradients of the gates only,
and the rest is done for a chunk of steps at once, while they are in the cache: the weight gradients are one
product, those of the inputs another, and so is the projection of the inputs on the way forth.
"""

from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from rnn_jax.cells.cell import Array, Cell, Fusion, Params, State
from rnn_jax.unroll.dynamic import dynamic
from rnn_jax.unroll.sequence import Unrolled, to_steps


def fused(
    cell: Cell,
    params: Params,
    x: Array,
    lengths: Array | None = None,
    initial_state: State | None = None,
    *,
    reverse: bool = False,
    chunk: int = 16,
) -> Unrolled:
    """Runs the cell with a scan and derivatives by hand; see `Unroll` for arguments and errors.

    Values and gradients are those of `dynamic`, up to the order of additions. It can be mapped by `vmap`, and
    differentiated again and again, but backwards only: `jax.jvp` and `jax.hessian` raise a TypeError.

    `chunk` is how many steps are projected, and have their weight gradients made, at once. On a CPU, 8 to 40
    are alike; longer chunks leave the cache, shorter ones make small products.

    A cell that cannot be taken apart so (its `fusion` is None) is run by `dynamic`.
    """
    if cell.fusion is None:
        return dynamic(cell, params, x, lengths, initial_state, reverse=reverse)
    steps = to_steps(cell, params, x, lengths, initial_state)
    time, batch, _ = steps.x.shape
    length = max(1, min(chunk, time))
    padding = -time % length
    valid = steps.valid
    if padding and valid is None:
        valid = jnp.ones((time, 1, 1), bool)

    def to_chunks(a: Array) -> Array:
        """`[T, ...] -> [T / length, length, ...]`, with zeros for what is missing at the end."""
        padded = jnp.pad(a, [(0, padding)] + [(0, 0)] * (a.ndim - 1))
        return padded.reshape(-1, length, *a.shape[1:])

    chunks = Chunks(to_chunks(steps.x), None if valid is None else to_chunks(valid))
    states, state = _run(cell, reverse, params, chunks, steps.initial_state)
    outputs = states.hidden.reshape(-1, batch, params.hidden_size)[:time]
    if steps.valid is not None:
        outputs = jnp.where(steps.valid, outputs, jnp.zeros((), outputs.dtype))
    return Unrolled(jnp.swapaxes(outputs, 0, 1), state)


class Chunks(NamedTuple):
    """Sequences cut into N chunks of C steps."""

    x: Array  # [N, C, B, D]
    valid: Array | None  # [N, C, B, 1], or [N, C, 1, 1]


@partial(jax.custom_vjp, nondiff_argnums=(0, 1))
def _run(
    cell: Cell, reverse: bool, params: Params, chunks: Chunks, initial_state: State
) -> tuple[State, State]:
    """The state after every step `[N, C, B, H]`, and after the last."""
    return _forth(cell, reverse, params, chunks, initial_state)[0]


def _forth(
    cell: Cell, reverse: bool, params: Params, chunks: Chunks, initial_state: State
) -> tuple[tuple[State, State], Any]:
    fusion = _fusion(cell)

    def run_step(state: State, step: tuple[Array, Array | None]) -> tuple[State, Any]:
        z, valid = step
        new_state, saved = fusion.combine(state, z, fusion.mix(params, state))
        state = _choose(valid, new_state, state)
        return state, (state, saved)

    def run_chunk(state: State, chunk: Chunks) -> tuple[State, Any]:
        z = cell.project(params, _rows(chunk.x)).reshape(*chunk.x.shape[:2], -1)
        return jax.lax.scan(run_step, state, (z, chunk.valid), reverse=reverse)

    state, (states, saved) = jax.lax.scan(run_chunk, initial_state, chunks, reverse=reverse)
    return (states, state), (params, chunks, initial_state, states, saved)


def _back(cell: Cell, reverse: bool, kept: Any, gradients: tuple[State, State]) -> tuple[Params, Any, State]:
    fusion = _fusion(cell)
    params, chunks, initial_state, states, saved = kept
    d_states, d_state = gradients
    kernel, recurrent = params.input_kernel.T, params.recurrent_kernel.T

    def run_step(d_state: State, step: Any) -> tuple[State, Any]:
        d_output, valid, saved, previous, state = step
        d_new = jax.tree.map(jnp.add, d_state, d_output)
        d_old = jax.tree.map(jnp.zeros_like, d_new)
        if valid is not None:
            d_new, d_old = _choose(valid, d_new, d_old), _choose(valid, d_old, d_new)
        d_previous, dz, dm = fusion.gradients(saved, previous, state, d_new)
        d_previous = jax.tree.map(jnp.add, d_previous, d_old)
        d_previous = d_previous._replace(hidden=d_previous.hidden + dm @ recurrent)
        return d_previous, (dz, None if dm is dz else dm)

    def run_chunk(carry: tuple[State, Params], chunk: Any) -> tuple[tuple[State, Params], Array]:
        d_state, d_params = carry
        d_outputs, (x, valid), saved, before, states = chunk
        previous = _shift(states, before, reverse)
        d_state, (dz, dm) = jax.lax.scan(
            run_step, d_state, (d_outputs, valid, saved, previous, states), reverse=not reverse
        )
        dz = _rows(dz)
        dm = dz if dm is None else _rows(dm)
        more = fusion.weight_gradients(_rows(x), _rows(previous.hidden), dz, dm)
        return (d_state, jax.tree.map(jnp.add, d_params, more)), (dz @ kernel).reshape(x.shape)

    last = jax.tree.map(lambda s: s[:, 0 if reverse else -1], states)  # of each chunk
    before = _shift(last, initial_state, reverse)
    (d_state, d_params), dx = jax.lax.scan(
        run_chunk,
        (d_state, jax.tree.map(jnp.zeros_like, params)),
        (d_states, chunks, saved, before, states),
        reverse=not reverse,
    )
    return d_params, Chunks(dx, None), d_state


_run.defvjp(_forth, _back)


def _fusion(cell: Cell) -> Fusion:
    assert cell.fusion is not None
    return cell.fusion


def _choose(valid: Array | None, new: State, old: State) -> State:
    """The new state, or the old one at padded steps."""
    if valid is None:
        return new
    return jax.tree.map(lambda n, o: jnp.where(valid, n, o), new, old)


def _rows(a: Array) -> Array:
    """`[C, B, F] -> [C * B, F]`."""
    return a.reshape(-1, a.shape[-1])


def _shift(states: State, first: State, reverse: bool) -> State:
    """What lies one place before, in the order of running; `first` before the first."""

    def shift(s: Array, f: Array) -> Array:
        return jnp.concatenate([s[1:], f[None]] if reverse else [f[None], s[:-1]])

    return jax.tree.map(shift, states, first)
