"""The Newton unroll: all steps at once, by iteration, for cells whose units see no other unit's past.

The states of a sequence solve s_t = f(s_{t-1}, x_t) for all t. Newton's method starts from a guess of all of
them, and in each iteration solves the steps made linear around the last guess s':

    s_t = f(s'_{t-1}, x_t) + J_t (s_{t-1} - s'_{t-1}),    J_t = ∂f/∂s at (s'_{t-1}, x_t)

That is a linear recurrence, for `linear_scan`, if J_t is diagonal: if each unit sees its own past alone. The
error is squared in each iteration, in the end.

Derivatives are exact: ds_t = J_t ds_{t-1} + ∂f/∂θ dθ is one more linear recurrence, backward another.

Papers: Y. Lim et al., "Parallelizing non-linear sequential models over the sequence length", ICLR 2024,
arXiv:2309.12252; X. Gonzalez et al., "Towards Scalable and Stable Parallelization of Nonlinear RNNs", NeurIPS
2024, arXiv:2407.19115. Variant: Jacobians that are diagonal, and so exact and cheap at once; no damping:
iterations end at a tolerance, and where they do not get there, steps are run one after the other.
"""

from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from rnn_jax.cells.cell import Array, Cell, Params, Restarts, State, at_least_float32
from rnn_jax.cells.linear_scan import linear_scan
from rnn_jax.unroll.arguments import check_arguments, vary_alike
from rnn_jax.unroll.fused import fused
from rnn_jax.unroll.parallel import parallel, run_at_once
from rnn_jax.unroll.sequence import Lengths, Unrolled
from rnn_jax.unroll.steps import choose

MAX_ITERATIONS = 50


class Solution(NamedTuple):
    """Where iterations have led."""

    states: State  # [T, ..., H] each, after every step
    iterations: Array  # int32
    converged: Array  # bool: whether the last changed nothing beyond the tolerance


def newton(
    cell: Cell,
    params: Params,
    x: Array,
    lengths: Lengths | None = None,
    initial_state: State | None = None,
    resets: ArrayLike | None = None,
    *,
    reverse: bool = False,
    max_iterations: int = MAX_ITERATIONS,
) -> Unrolled:
    """Runs the cell by Newton's method over all steps; see `Unroll` for arguments and errors.

    Of T steps, some 2 log₂ T operations an iteration follow each other. How many iterations there are is up
    to the weights: few while gates hardly see the state. After `max_iterations`, or where numbers overflow,
    all steps of all sequences are run one after the other instead, so that the result is right in any case;
    `iterate` says which it was. Under `vmap` they always are, besides.

    A cell whose Jacobian is not `diagonal` is run by `fused`, one that is linear by `parallel`.

    Example:
        >>> from rnn_jax.cells import CELLS
        >>> cell = CELLS["sru"]
        >>> params = cell.init(jax.random.key(0), input_size=3, hidden_size=4)
        >>> newton(cell, params, jnp.ones((2, 5, 3))).outputs.shape
        (2, 5, 4)
    """
    if cell.advance_all is not None:
        return parallel(cell, params, x, lengths, initial_state, resets, reverse=reverse)
    if not cell.diagonal:
        return fused(cell, params, x, lengths, initial_state, resets, reverse=reverse)
    arguments = check_arguments(cell, params, x, lengths, initial_state, resets)
    return run_at_once(cell, partial(_advance_all, cell, max_iterations), arguments, reverse)


def iterate(
    cell: Cell,
    params: Params,
    state: State,
    z: Array,
    restarts: Restarts | None = None,
    max_iterations: int = MAX_ITERATIONS,
) -> Solution:
    """Solves the steps of a diagonal cell: `z [T, ..., G*H]`, as `project` has made it.

    It begins with states of zero and ends when none changes much more, or after `max_iterations`. Nothing of
    it is differentiated.

    Raises:
        ValueError: for a cell that is not diagonal.

    Example:
        >>> from rnn_jax.cells import CELLS
        >>> cell = CELLS["sru"]
        >>> params = cell.init(jax.random.key(0), input_size=3, hidden_size=4)
        >>> z = cell.project(params, jax.random.normal(jax.random.key(1), (100, 3)))
        >>> states, iterations, converged = iterate(cell, params, cell.initial_state(params, ()), z)
        >>> int(iterations), bool(converged)
        (2, True)
    """
    if not cell.diagonal:
        raise ValueError("Newton's method over time needs a cell whose Jacobian is diagonal")
    params, state, z, restarts = jax.lax.stop_gradient((params, state, z, restarts))
    tolerance = jnp.finfo(z.dtype).eps ** (2 / 3)

    def is_going_on(reached: tuple[State, Array, Array, Array]) -> Array:
        _, number, settled, finite = reached
        return (number < max_iterations) & ~settled & finite

    def improve(reached: tuple[State, Array, Array, Array]) -> tuple[State, Array, Array, Array]:
        guess, number, *_ = reached
        states = _linearized(cell, params, state, z, restarts, guess)
        settled = _everywhere(jax.tree.map(lambda *both: _change(*both) <= tolerance, states, guess))
        return states, number + 1, settled, _everywhere(jax.tree.map(jnp.isfinite, states))

    guess = jax.tree.map(lambda s: jnp.zeros((len(z), *s.shape), s.dtype), state)
    *start, _ = vary_alike((guess, jnp.int32(0), jnp.bool(False), jnp.bool(True), z))
    states, number, settled, finite = jax.lax.while_loop(is_going_on, improve, tuple(start))
    return Solution(states, number, settled & finite)


def _everywhere(conditions: State) -> Array:
    """Whether all of some conditions hold."""
    return jnp.stack([each.all() for each in jax.tree.leaves(conditions)]).all()


def _change(new: Array, old: Array) -> Array:
    """How much states have changed; those beyond ±1, relative to what they are now."""
    return jnp.abs(new - old) / jnp.maximum(1, jnp.abs(new))


def _advance_all(
    cell: Cell, max_iterations: int, params: Params, state: State, z: Array, restarts: Restarts | None
) -> tuple[State, Array]:
    """`advance_all` of a diagonal cell."""
    states = _solve(cell, max_iterations, params, state, z, restarts)
    _, outputs = cell.advance(params, _before(states, state, restarts), z)
    return states, outputs


@partial(jax.custom_jvp, nondiff_argnums=(0, 1))
def _solve(
    cell: Cell, max_iterations: int, params: Params, state: State, z: Array, restarts: Restarts | None
) -> State:
    """The states after every step, by iteration, or one by one where that does not converge."""
    found = iterate(cell, params, state, z, restarts, max_iterations)
    scan = partial(_one_by_one, cell)
    return jax.lax.cond(found.converged, lambda *_: found.states, scan, params, state, z, restarts)


@_solve.defjvp
def _solve_jvp(cell: Cell, max_iterations: int, values: Any, changes: Any) -> tuple[State, State]:
    """ds_t = J_t ds_{t-1} + what the parameters and the input change at (s_{t-1}, x_t)."""
    params, state, z, restarts = values
    d_params, d_state, d_z, d_restarts = changes
    states = _solve(cell, max_iterations, *values)
    before = _before(states, state, restarts)
    move = lambda p, s, z: cell.advance(p, s, z)[0]  # noqa: E731
    _, change = jax.jvp(lambda p, z: move(p, before, z), (params, z), (d_params, d_z))
    slopes = _slopes(cell, params, before, z)[1]
    fresh = None if restarts is None else d_restarts.state
    return states, _solve_linear(slopes, change, d_state, restarts, fresh)


def _one_by_one(cell: Cell, params: Params, state: State, z: Array, restarts: Restarts | None) -> State:
    """The states after every step, by a scan."""

    def step(old: State, inputs: tuple[Array, Array | None]) -> tuple[State, State]:
        z, reset = inputs
        if restarts is not None and reset is not None:
            old = choose(reset, restarts.state, old)
        new, _ = cell.advance(params, old, z)
        return new, new

    return jax.lax.scan(step, state, (z, restarts and restarts.steps))[1]


def _linearized(
    cell: Cell, params: Params, state: State, z: Array, restarts: Restarts | None, guess: State
) -> State:
    """The states of steps that are made linear around a guess of them: an iteration."""
    before = _before(guess, state, restarts)
    after, slopes = _slopes(cell, params, before, z)
    addends = jax.tree.map(lambda a, j, b: a - j * b, after, slopes, before)
    return _solve_linear(slopes, addends, state, restarts, restarts and restarts.state)


def _slopes(cell: Cell, params: Params, before: State, z: Array) -> tuple[State, State]:
    """The states after each step, and the diagonal of its Jacobian, in float32 at least."""
    ones = jax.tree.map(jnp.ones_like, before)
    found = jax.jvp(lambda s: cell.advance(params, s, z)[0], (before,), (ones,))
    return jax.tree.map(at_least_float32, found)


def _solve_linear(
    slopes: State, addends: State, initial: State, restarts: Restarts | None, fresh: State | None
) -> State:
    """s_t = J_t s_{t-1} + b_t, from the fresh state where a step restarts; in the type of the initial one."""

    def solve(slope: Array, addend: Array, initial: Array, fresh: Array | None) -> Array:
        own = restarts and Restarts(restarts.steps, fresh)
        return linear_scan(slope, addend, initial, own).astype(initial.dtype)

    none = jax.tree.map(lambda _: None, initial)
    return jax.tree.map(solve, slopes, addends, initial, none if fresh is None else fresh)


def _before(states: State, initial: State, restarts: Restarts | None) -> State:
    """The state before every step."""
    before = jax.tree.map(lambda s, i: jnp.concatenate([i[None], s])[:-1], states, initial)
    return before if restarts is None else choose(restarts.steps, restarts.state, before)
