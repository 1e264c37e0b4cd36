"""The fused unroll: a scan whose backward pass is written by hand.

Differentiated as it stands, a scan adds up weight gradients step by step, with a product of B rows and an
addition of whole matrices in each. Here the backward pass through a step makes the gradients of the gates
only, and the rest is done for a chunk of steps at once, while they are in the cache: the weight gradients
are one product, those of the inputs another.
"""

from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from rnn_jax.cells.cell import Array, Cell, Fusion, Params, State, product, product_precision
from rnn_jax.cells.wrapped import gradient_of, innermost, with_hidden
from rnn_jax.unroll.arguments import check_arguments
from rnn_jax.unroll.dynamic import scan_steps
from rnn_jax.unroll.sequence import Lengths, Unrolled
from rnn_jax.unroll.steps import Steps, choose, to_steps


def fused(
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
    """Runs the cell with a scan and derivatives by hand; see `Unroll` for arguments and errors.

    Values and gradients are those of `dynamic`, up to the order of additions. It can be mapped by `vmap`, and
    differentiated again and again, but in reverse mode only: `jax.jvp` and `jax.hessian` raise a TypeError.

    `chunk` is how many steps have their weight gradients made at once. On a CPU, 8 to 25 are alike; longer
    chunks leave the cache, shorter ones make small products, and steps that are left over by chunks cost
    compile time. By default it is the largest divisor of T from 8 to 24, or 16.

    A cell that cannot be taken apart so (its `fusion` is None) is run by `dynamic`.

    Example:
        >>> from rnn_jax.cells import LSTM
        >>> params = LSTM.init(jax.random.key(0), input_size=3, hidden_size=4)
        >>> loss = lambda params: fused(LSTM, params, jnp.ones((2, 5, 3))).outputs.sum()
        >>> jax.grad(loss)(params).recurrent_kernel.shape
        (4, 16)
    """
    arguments = check_arguments(cell, params, x, lengths, initial_state, resets)
    return fuse_steps(cell, arguments.params, to_steps(cell, arguments, reverse), reverse, chunk)


def fuse_steps(cell: Cell, params: Params, steps: Steps, reverse: bool, chunk: int | None = None) -> Unrolled:
    """Runs the cell over sequences that are laid out for it, by `scan_steps` if it cannot be taken apart."""
    if cell.fusion is None:
        return scan_steps(cell, params, steps, reverse)
    if chunk is None:
        chunk = chunk_length(len(steps.x))
    # The backward pass may be traced outside of the `jax.default_matmul_precision` that holds here.
    return run_steps(Setup(cell.fusion, cell, reverse, chunk, product_precision()), params, steps)


def chunk_length(time: int) -> int:
    """The default chunk of T steps: a divisor of T from 8 to 24 where there is one, the longest; else 16."""
    return next((divisor for divisor in range(24, 7, -1) if time % divisor == 0), 16)


class Setup(NamedTuple):
    """What is fixed when a program is traced."""

    fusion: Fusion
    cell: Cell
    reverse: bool
    chunk: int  # steps whose weight gradients are made at once
    precision: str | None  # of products
    ahead: bool = False  # whether all inputs are projected before the loop
    turn: int = 1  # steps that one turn of the loop runs


class Chunk(NamedTuple):
    """C successive steps, or N such chunks, and what is known of them in the backward pass."""

    x: Array  # [C, B, D]
    valid: Array | None  # [C, B, 1]
    resets: Array | None  # [C, B, 1]
    saved: Any  # by `combine`
    states: State  # [C, B, H], after each step
    d_outputs: Array  # [C, B, H]


def run_steps(setup: Setup, params: Params, steps: Steps) -> Unrolled:
    """The same, as set up."""
    outputs, state = _run(setup, params, steps)
    if steps.valid is not None:
        outputs = jnp.where(steps.valid, outputs, jnp.zeros((), outputs.dtype))
    return Unrolled(jnp.swapaxes(outputs, 0, 1), state)


@partial(jax.custom_vjp, nondiff_argnums=(0,))
def _run(setup: Setup, params: Params, steps: Steps) -> tuple[Array, State]:
    """The hidden state after every step `[T, B, H]`, and the state after the last."""
    return _forward(setup, params, steps)[0]


def _forward(setup: Setup, params: Params, steps: Steps) -> tuple[tuple[Array, State], Any]:
    def run_step(state: State, step: tuple[Array, Array | None, Array | None]) -> tuple[State, Any]:
        x, valid, reset = step
        if reset is not None:
            state = choose(reset, steps.fresh, state)
        mixed = setup.fusion.mix(params, state)
        z = x if setup.ahead else setup.cell.project(params, x)
        new_state, saved = setup.fusion.combine(state, z, mixed)
        state = new_state if valid is None else choose(valid, new_state, state)
        return state, (state, saved)

    x = setup.cell.project(params, steps.x) if setup.ahead else steps.x
    each = x, steps.valid, steps.resets
    state, (states, saved) = jax.lax.scan(
        run_step, steps.initial_state, each, reverse=setup.reverse, unroll=setup.turn
    )
    return (states.hidden, state), (params, steps, states, saved)


def _backward(setup: Setup, kept: Any, gradients: tuple[Array, State]) -> tuple[Params, Steps]:
    params, steps, states, saved = kept
    d_outputs, d_state = gradients
    initial = steps.initial_state
    d_state = jax.tree.map(lambda d, s: d if _has_gradient(s) else _no_gradient(s), d_state, initial)
    time = len(d_outputs)
    length = max(1, min(setup.chunk, time))
    count = time // length
    # Steps that fill no chunk are the last in the order of running, and the first of the backward pass.
    begin, end = (time - count * length, time) if setup.reverse else (0, count * length)
    rest = slice(0, begin) if setup.reverse else slice(end, time)
    last = 0 if setup.reverse else -1  # place in a chunk, or in all of them

    whole = Chunk(steps.x, steps.valid, steps.resets, saved, states, d_outputs)
    chunks = jax.tree.map(lambda a: a[begin:end].reshape(count, length, *a.shape[1:]), whole)
    ends = jax.tree.map(lambda s: s[:, last], chunks.states)
    before = _shift(ends, steps.initial_state, setup.reverse)
    with jax.default_matmul_precision(setup.precision):
        run_chunk = partial(_chunk_backward, setup, params, steps.fresh)
        carry = d_state, *jax.tree.map(_no_gradient, (innermost(params), steps.fresh))
        if begin or end < time:
            left_over = jax.tree.map(lambda a: a[rest], whole), jax.tree.map(lambda s: s[last], ends)
            carry, d_rest = run_chunk(carry, left_over)
        carry, dx = jax.lax.scan(run_chunk, carry, (chunks, before), reverse=not setup.reverse)
    d_state, d_params, d_fresh = carry
    dx = dx.reshape(end - begin, *steps.x.shape[1:])
    if begin or end < time:
        dx = jnp.concatenate([d_rest, dx] if setup.reverse else [dx, d_rest])
    own = jax.tree.map(lambda d, s: d if _has_gradient(s) else None, d_state, initial)
    fresh = jax.tree.map(lambda d, s: d if _has_gradient(s) else None, d_fresh, steps.fresh)
    return gradient_of(params, d_params), Steps(dx, None, None, own, fresh)


def _chunk_backward(
    setup: Setup,
    params: Params,
    fresh: State | None,
    carry: tuple[State, Params, State | None],
    chunk_and_before: tuple[Chunk, State],
) -> tuple[tuple[State, Params, State | None], Array]:
    """From the gradients of the state after a chunk to those of the state before it, and of its inputs.

    Beside them, those of the parameters and of the fresh state are added up.
    """
    d_state, d_params, d_fresh = carry
    chunk, before = chunk_and_before
    core = innermost(params)
    recurrent = core.recurrent_kernel.T
    previous = _shift(chunk.states, before, setup.reverse)
    if chunk.resets is not None:
        previous = choose(chunk.resets, fresh, previous)

    def run_step(carry: tuple[State, State | None], step: Any) -> tuple[tuple[State, State | None], Any]:
        d_state, d_fresh = carry
        d_output, valid, reset, saved, previous, state = step
        d_new = with_hidden(d_state, d_state.hidden + d_output)
        d_old = jax.tree.map(jnp.zeros_like, d_new)
        if valid is not None:
            d_new, d_old = choose(valid, d_new, d_old), choose(valid, d_old, d_new)
        d_previous, dz, dm = setup.fusion.gradients(saved, previous, state, d_new)
        d_hidden = d_previous.hidden + setup.fusion.mask_hidden(params, product(dm, recurrent))
        d_previous = setup.fusion.clip_gradient(params, with_hidden(d_previous, d_hidden))
        d_previous = jax.tree.map(jnp.add, d_previous, d_old)
        if reset is not None:
            nothing = jax.tree.map(jnp.zeros_like, d_previous)
            d_fresh = jax.tree.map(jnp.add, d_fresh, choose(reset, d_previous, nothing))
            d_previous = choose(reset, nothing, d_previous)
        return (d_previous, d_fresh), (dz, None if dm is dz else dm)

    steps = chunk.d_outputs, chunk.valid, chunk.resets, chunk.saved, previous, chunk.states
    (d_state, d_fresh), (dz, dm) = jax.lax.scan(
        run_step, (d_state, d_fresh), steps, reverse=not setup.reverse, unroll=setup.turn
    )
    dz = _rows(dz)
    dm = dz if dm is None else _rows(dm)
    hidden = setup.fusion.mask_hidden(params, previous.hidden)
    more = setup.fusion.weight_gradients(_rows(chunk.x), _rows(hidden), dz, dm)
    dx = product(dz, core.input_kernel.T).reshape(chunk.x.shape)
    return (d_state, jax.tree.map(jnp.add, d_params, more), d_fresh), dx


_run.defvjp(_forward, _backward)


def _has_gradient(a: Array) -> bool:
    """Whether it is no counter."""
    return bool(jnp.issubdtype(a.dtype, jnp.floating))


def _no_gradient(a: Array) -> Array:
    """Zeros; of a counter, too."""
    return jnp.zeros_like(a, a.dtype if _has_gradient(a) else jnp.float32)


def _rows(a: Array) -> Array:
    """`[C, B, F] -> [C * B, F]`."""
    return a.reshape(-1, a.shape[-1])


def _shift(states: State, first: State, reverse: bool) -> State:
    """What lies one place before, in the order of running; `first` before the first."""

    def shift(s: Array, f: Array) -> Array:
        return jnp.concatenate([s, f[None]])[1:] if reverse else jnp.concatenate([f[None], s])[:-1]

    return jax.tree.map(shift, states, first)
