"""The fused unroll: a scan whose backward pass is written by hand.

Differentiated as it stands, a scan adds up weight gradients step by step, with a product of B rows and an
addition of whole matrices in each. Here the backward pass through a step makes the gradients of the gates
only, and the rest is done for a chunk of steps at once, while they are in the cache: the weight gradients
are one product, those of the inputs another. Where a gradient is taken, the inputs of a chunk are projected
by one product, too, and what the backward pass needs is written where it reads it.
"""

import operator
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from rnn_jax.cells.cell import Array, Cell, Fusion, Params, State, product, product_precision, transpose
from rnn_jax.cells.wrapped import gradient_of, innermost, with_hidden
from rnn_jax.unroll.arguments import check_arguments, vary_alike
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

    `chunk` is how many steps have their weight gradients made at once, and their inputs projected. Longer
    chunks leave the cache, shorter ones make small products, and steps that are left over by chunks cost
    compile time. See `chunk_length` for the default.

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
        chunk = chunk_length(len(steps.x), steps.x.shape[1], innermost(params).hidden_size)
    return run_steps(Setup(cell, reverse, chunk, product_precision()), params, steps)


def chunk_length(time: int, batch: int, hidden_size: int) -> int:
    """The default chunk of T steps of B sequences of H numbers: the longest divisor of T from 8 to 24, or 16.

    Bounds are lower where many sequences of many numbers would leave the cache, but not so low that products
    become small.
    """
    fitting = max(2**16 // max(1, batch * hidden_size), 384 // max(1, batch))
    longest = min(max(5, fitting), 24)
    shortest = max(3, longest // 3)
    divisors = (length for length in range(longest, shortest - 1, -1) if time % length == 0)
    return next(divisors, 2 * shortest)


class Setup(NamedTuple):
    """What is fixed when a program is traced."""

    cell: Cell  # that can be taken apart
    reverse: bool
    chunk: int  # steps whose weight gradients are made, and whose inputs are projected, at once
    precision: str | None  # of products, also where derivatives are asked for under another setting
    turn: int = 1  # steps that one turn of the loop runs, and whose numbers it stores at once

    @property
    def fusion(self) -> Fusion:
        """The cell taken apart."""
        assert self.cell.fusion is not None
        return self.cell.fusion

    @property
    def before(self) -> int:
        """Where the state before step t is among the T + 1 states, seen from t."""
        return 1 if self.reverse else 0

    @property
    def after(self) -> int:
        """Where the state after step t is among them."""
        return 0 if self.reverse else 1


class Kept(NamedTuple):
    """What the backward pass must know of all steps, in the order of time."""

    saved: Any  # by `combine`, [T, B, ...]
    states: State  # [T + 1, B, H], between the steps, before the first, and after the last


def run_steps(setup: Setup, params: Params, steps: Steps) -> Unrolled:
    """Runs the cell as set up; outputs of padding are zero."""
    if len(steps.x) == 0:
        return scan_steps(setup.cell, params, steps, setup.reverse)
    outputs, state = _run(setup, params, steps)
    if steps.valid is not None:
        outputs = jnp.where(steps.valid, outputs, jnp.zeros((), outputs.dtype))
    return Unrolled(jnp.swapaxes(outputs, 0, 1), state)


@partial(jax.custom_vjp, nondiff_argnums=(0,))
def _run(setup: Setup, params: Params, steps: Steps) -> tuple[Array, State]:
    """The outputs of all steps `[T, B, H]`, those of padding not defined, and the state after the last."""
    return _find(setup, params, steps)


def _run_forward(setup: Setup, params: Params, steps: Steps) -> tuple[tuple[Array, State], Any]:
    found, kept = _run_and_keep(setup, params, steps)
    return found, (params, steps, kept)


def _run_backward(setup: Setup, residuals: Any, gradients: tuple[Array, State]) -> tuple[Params, Steps]:
    return _backward(setup, *residuals, gradients)


def _find(setup: Setup, params: Params, steps: Steps) -> tuple[Array, State]:
    """What `_run` finds, with nothing kept; inputs are projected ahead only where one chunk holds all.

    On a CPU it takes longer to pick a step's gates from those of a chunk than to project its inputs.
    """
    if setup.chunk >= len(steps.x):
        return _advance(setup, params, steps, None)[0]
    outputs, state = scan_steps(setup.cell, params, steps, setup.reverse)
    return jnp.swapaxes(outputs, 0, 1), state


def _advance(
    setup: Setup, params: Params, steps: Steps, kept: Kept | None
) -> tuple[tuple[Array, State], Any]:
    """What `_run` finds; and what is kept, if anything is."""
    time = len(steps.x)

    def run_one(state: State, z: Array, valid: Array | None, reset: Array | None) -> tuple[State, Any]:
        if reset is not None:
            state = choose(reset, steps.fresh, state)
        new_state, saved = setup.fusion.combine(state, z, setup.fusion.mix(params, state))
        state = new_state if valid is None else choose(valid, new_state, state)
        return state, state.hidden if kept is None else (saved, state)

    def run_turn(carry: tuple[State, Kept | None], turn: tuple[Array, Array]) -> tuple[Any, Array | None]:
        # In Python: a scan that unrolls its steps would store what is kept step by step.
        (state, kept), (times, z) = carry, turn
        valid, resets = _stretch(times, (steps.valid, steps.resets))
        each: dict[int, Any] = {}
        order = range(len(times))
        for step in reversed(order) if setup.reverse else order:
            now = partial(jax.lax.index_in_dim, index=step, keepdims=False)
            state, each[step] = run_one(state, *jax.tree.map(now, (z, valid, resets)))
        found = jax.tree.map(lambda *a: jnp.stack(a), *(each[step] for step in order))
        if kept is None:
            return (state, None), found
        # In place: each number is stored once, where the backward pass reads it.
        saved, states = found
        begin = times[0]
        kept = Kept(_put(begin, kept.saved, saved), _put(begin + setup.after, kept.states, states))
        return (state, kept), None

    def run_chunk(carry: tuple[State, Kept | None], times: Array) -> tuple[Any, Array | None]:
        z = setup.cell.project(params, _stretch(times, steps.x))
        return _in_parts(setup.turn, run_turn, carry, (times, z), setup.reverse)

    carry = steps.initial_state, kept
    (state, kept), outputs = _in_parts(setup.chunk, run_chunk, carry, _times(time), setup.reverse)
    if kept is not None:
        outputs = kept.states.hidden[setup.after : time + setup.after]
    return (outputs, state), kept


@partial(jax.custom_vjp, nondiff_argnums=(0,))
def _run_and_keep(setup: Setup, params: Params, steps: Steps) -> tuple[tuple[Array, State], Kept]:
    """What `_run` finds, and what the backward pass must know.

    Derivatives with respect to that are dropped: those of `_backward` are taken back to its own arguments.
    """
    fusion, initial, time = setup.fusion, steps.initial_state, len(steps.x)

    def saved_of(x: Array) -> Any:
        return fusion.combine(initial, setup.cell.project(params, x), fusion.mix(params, initial))[1]

    empty = lambda length, a: jnp.zeros((length, *a.shape), a.dtype)  # noqa: E731
    saved = jax.tree.map(partial(empty, time), jax.eval_shape(saved_of, steps.x[0]))
    first = jax.tree.map(lambda a: a[None], initial)
    states = _put(time * setup.before, jax.tree.map(partial(empty, time + 1), initial), first)
    _, kept = vary_alike((steps.x, Kept(saved, states)))
    # This may be traced outside of the setting that holds where the unroll is called.
    with jax.default_matmul_precision(setup.precision):
        return _advance(setup, params, steps, kept)


def _run_and_keep_forward(setup: Setup, params: Params, steps: Steps) -> tuple[Any, Any]:
    found, kept = _run_and_keep(setup, params, steps)
    return (found, kept), (params, steps, kept)


def _run_and_keep_backward(setup: Setup, residuals: Any, gradients: Any) -> tuple[Params, Steps]:
    return _backward(setup, *residuals, gradients[0])


@partial(jax.custom_vjp, nondiff_argnums=(0,))
def _backward(
    setup: Setup, params: Params, steps: Steps, kept: Kept, gradients: tuple[Array, State]
) -> tuple[Params, Steps]:
    """The derivatives of what `_run` found, from those of the loss with respect to it."""
    d_outputs, d_state = gradients
    fusion, initial, core = setup.fusion, steps.initial_state, innermost(params)

    def retreat(carry: tuple[State, State | None], now: Array) -> tuple[tuple[State, State | None], Any]:
        d_state, d_fresh = carry
        d_output, valid, reset, saved = _at(now, (d_outputs, steps.valid, steps.resets, kept.saved))
        previous, state = (_at(now + place, kept.states) for place in (setup.before, setup.after))
        if reset is not None:
            previous = choose(reset, steps.fresh, previous)
        d_new = with_hidden(d_state, d_state.hidden + d_output)
        d_old = jax.tree.map(jnp.zeros_like, d_new)
        if valid is not None:
            d_new, d_old = choose(valid, d_new, d_old), choose(valid, d_old, d_new)
        d_previous, dz, dm = fusion.gradients(saved, previous, state, d_new)
        d_hidden = d_previous.hidden + fusion.mask_hidden(params, product(dm, recurrent))
        d_previous = fusion.clip_gradient(params, with_hidden(d_previous, d_hidden))
        d_previous = jax.tree.map(jnp.add, d_previous, d_old)
        if reset is not None:
            nothing = jax.tree.map(jnp.zeros_like, d_previous)
            d_fresh = jax.tree.map(jnp.add, d_fresh, choose(reset, d_previous, nothing))
            d_previous = choose(reset, nothing, d_previous)
        return (d_previous, d_fresh), (dz, None if dm is dz else dm)

    def run_chunk(carry: tuple[State, State | None, Params], times: Array) -> tuple[Any, Array]:
        d_state, d_fresh, d_params = carry
        (d_state, d_fresh), (dz, dm) = jax.lax.scan(
            retreat, (d_state, d_fresh), times, reverse=not setup.reverse, unroll=setup.turn
        )
        hidden = _stretch(times + setup.before, kept.states.hidden)
        if steps.fresh is not None and steps.resets is not None:
            hidden = choose(_stretch(times, steps.resets), steps.fresh.hidden, hidden)
        dz = _rows(dz)
        dm = dz if dm is None else _rows(dm)
        hidden = _rows(fusion.mask_hidden(params, hidden))
        more = fusion.weight_gradients(_rows(_stretch(times, steps.x)), hidden, dz, dm)
        dx = product(dz, inputs).reshape(len(times), *steps.x.shape[1:])
        return (d_state, d_fresh, jax.tree.map(jnp.add, d_params, more)), dx

    with jax.default_matmul_precision(setup.precision):
        # Transposed once, outside of the loops.
        inputs, recurrent = transpose(core.input_kernel), transpose(core.recurrent_kernel)
        d_state = jax.tree.map(lambda d, s: d if _has_gradient(s) else _no_gradient(s), d_state, initial)
        carry = d_state, *jax.tree.map(_no_gradient, (steps.fresh, core))
        times = _times(len(d_outputs))
        (d_state, d_fresh, d_params), dx = _in_parts(
            setup.chunk, run_chunk, carry, times, not setup.reverse, against=True
        )
    return _of_arguments(params, steps, d_params, dx, d_state, d_fresh)


def _of_arguments(
    params: Params, steps: Steps, d_core: Params, dx: Array, d_state: State, d_fresh: State | None
) -> tuple[Params, Steps]:
    """Gradients of the arguments, where they have any: neither counters do, nor what is around a cell."""
    own = jax.tree.map(lambda d, s: d if _has_gradient(s) else None, d_state, steps.initial_state)
    fresh = jax.tree.map(lambda d, s: d if _has_gradient(s) else None, d_fresh, steps.fresh)
    return gradient_of(params, d_core), Steps(dx, None, None, own, fresh)


def _backward_forward(
    setup: Setup, params: Params, steps: Steps, kept: Kept, gradients: tuple[Array, State]
) -> tuple[tuple[Params, Steps], Any]:
    return _backward(setup, params, steps, kept, gradients), (params, steps, gradients)


def _backward_backward(setup: Setup, arguments: Any, d_found: tuple[Params, Steps]) -> tuple[Any, ...]:
    """Second derivatives: those of the plain scan.

    Those of `_backward` as it stands would take work for T² steps: JAX's derivative of reading one step is an
    array of all T.
    """

    def scan(params: Params, steps: Steps) -> tuple[Array, State]:
        outputs, state = scan_steps(setup.cell, params, steps, setup.reverse, setup.turn)
        return jnp.swapaxes(outputs, 0, 1), state

    def first(params: Params, steps: Steps, gradients: tuple[Array, State]) -> tuple[Params, Steps]:
        d_params, d_steps = jax.vjp(scan, params, steps)[1](gradients)
        d_core, (dx, _, _, d_state, d_fresh) = innermost(d_params), d_steps
        return _of_arguments(params, steps, d_core, dx, d_state, d_fresh)

    with jax.default_matmul_precision(setup.precision):
        d_params, d_steps, d_gradients = jax.vjp(first, *arguments)[1](d_found)
    return d_params, d_steps, None, d_gradients


_run.defvjp(_run_forward, _run_backward)
_run_and_keep.defvjp(_run_and_keep_forward, _run_and_keep_backward)
_backward.defvjp(_backward_forward, _backward_backward)


def _in_parts(
    length: int,
    run: Callable[[Any, Any], Any],
    carry: Any,
    xs: Any,
    reverse: bool,
    *,
    against: bool = False,
) -> tuple[Any, Any]:
    """Scans over T steps, `length` of them at a time: `run(carry, xs [L, ...]) -> (carry, each [L, ...])`.

    Steps that are left over are the last in the order of the forward pass; the backward pass, which goes
    `against` it, begins with them.
    """
    time = len(jax.tree.leaves(xs)[0])
    length = max(1, min(length, time))
    parts, left = divmod(time, length)
    left_first = reverse != against  # in the order of time
    rest, whole = slice(time - left, None), slice(time - left)
    if left_first:
        rest, whole = slice(left), slice(left, None)
    rest, whole = (jax.tree.map(operator.itemgetter(part), xs) for part in (rest, whole))
    each_of_rest = None
    if left and against:
        carry, each_of_rest = run(carry, rest)
    whole = jax.tree.map(lambda a: a.reshape(parts, length, *a.shape[1:]), whole)
    carry, each = jax.lax.scan(run, carry, whole, reverse=reverse)
    each = jax.tree.map(lambda a: a.reshape(parts * length, *a.shape[2:]), each)
    if left and not against:
        carry, each_of_rest = run(carry, rest)
    if not left:
        return carry, each
    both = (each_of_rest, each) if left_first else (each, each_of_rest)
    return carry, jax.tree.map(lambda *a: jnp.concatenate(a), *both)


def _times(time: int) -> Array:
    """All steps; unsigned, so that JAX adds no code for negative indices."""
    return jnp.arange(time, dtype=jnp.uint32)


def _at(now: Array, tree: Any) -> Any:
    """`[T, ...]` at one step."""
    return jax.tree.map(lambda a: jax.lax.dynamic_index_in_dim(a, now, keepdims=False), tree)


def _put(begin: Array | int, tree: Any, new: Any) -> Any:
    """`[T, ...]` with other values from one step on."""
    return jax.tree.map(lambda a, b: jax.lax.dynamic_update_slice_in_dim(a, b, begin, 0), tree, new)


def _stretch(times: Array, tree: Any) -> Any:
    """`[T, ...]` at successive steps `[C]`."""
    return jax.tree.map(lambda a: jax.lax.dynamic_slice_in_dim(a, times[0], len(times)), tree)


def _has_gradient(a: Array) -> bool:
    """Whether it is no counter."""
    return bool(jnp.issubdtype(a.dtype, jnp.floating))


def _no_gradient(a: Array) -> Array:
    """Zeros; of a counter, too."""
    return jnp.zeros_like(a, a.dtype if _has_gradient(a) else jnp.float32)


def _rows(a: Array) -> Array:
    """`[C, B, F] -> [C * B, F]`."""
    return a.reshape(-1, a.shape[-1])
