"""Newton's method over time against the scan, where it converges and where it does not."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.flatten_util import ravel_pytree

from rnn_jax.cells import CELLS
from rnn_jax.unroll import dynamic, fused, newton, parallel
from rnn_jax.unroll.newton import iterate

B, T, D, H = 4, 37, 3, 5
LENGTHS = np.array([37, 0, 5, 30])
DIAGONAL = [name for name, cell in CELLS.items() if cell.diagonal]
SOLVED = [name for name in DIAGONAL if CELLS[name].advance_all is None]


def make_params(name, rng, scale):
    """Of a size as training makes them, or larger."""
    params = CELLS[name].init(jax.random.key(0), D, H)
    return jax.tree.map(lambda p: p + jnp.asarray(scale * rng.normal(size=p.shape), p.dtype), params)


def solve(name, params, x):
    cell = CELLS[name]
    z = cell.project(params, jnp.swapaxes(x, 0, 1))
    return iterate(cell, params, cell.initial_state(params, (len(x),)), z)


def differentiate(unroll, name, params, x, reverse, resets):
    def weigh(params, x):
        result = unroll(CELLS[name], params, x, LENGTHS, None, resets, reverse=reverse)
        leaves = jax.tree.leaves(result)
        return sum((a * jnp.cos(jnp.arange(a.size).reshape(a.shape))).sum() for a in leaves)

    return jax.jit(jax.value_and_grad(weigh, argnums=(0, 1)))(params, x)


def all_close(a, b, tolerance=1e-4):
    jax.tree.map(lambda p, q: np.testing.assert_allclose(p, q, atol=tolerance, rtol=tolerance), a, b)


@pytest.mark.parametrize("name", CELLS)
def test_diagonal_cells_are_those_whose_jacobian_is_diagonal(name, rng):
    cell, params = CELLS[name], make_params(name, rng, 0.5)
    state = jax.tree.map(lambda s: s + jnp.asarray(rng.normal(size=s.shape)), cell.initial_state(params, ()))
    flat, restore = ravel_pytree(state)
    z = cell.project(params, jnp.ones(D))
    step = lambda s: ravel_pytree(cell.advance(params, restore(s), z)[0])[0]  # noqa: E731
    jacobian = np.asarray(jax.jacobian(step)(flat))
    assert cell.diagonal == (not (jacobian - np.diag(np.diag(jacobian))).any())


@pytest.mark.parametrize("reverse", [False, pytest.param(True, marks=pytest.mark.slow)])
@pytest.mark.parametrize("scale", [0.1, 0.5, 2.0])
@pytest.mark.parametrize("name", SOLVED)
def test_it_is_the_scan_in_values_and_gradients(name, scale, reverse, rng):
    params, x = make_params(name, rng, scale), jnp.asarray(rng.normal(size=(B, T, D)), jnp.float32)
    assert solve(name, params, x).converged
    for resets in (None, rng.random((B, T)) < 0.1):
        found, expected = (
            differentiate(unroll, name, params, x, reverse, resets) for unroll in (newton, dynamic)
        )
        all_close(found, expected)


def test_where_it_does_not_converge_steps_follow_each_other(rng):
    """Gates that jump with the state: iterations do not end in time, and the result is right all the same."""
    params = make_params("sru", rng, 1.0)._replace(cell_weights=jnp.full(2 * H, -40.0))
    x = jnp.asarray(3 * rng.normal(size=(B, 400, D)), jnp.float32)
    solution = solve("sru", params, x)
    assert not solution.converged
    outputs, _ = jax.jit(lambda: newton(CELLS["sru"], params, x))()
    all_close(outputs, dynamic(CELLS["sru"], params, x).outputs)


def test_iterations_grow_with_what_gates_see_of_the_state(rng):
    x = jnp.asarray(rng.normal(size=(B, 200, D)), jnp.float32)
    drawn = CELLS["sru"].init(jax.random.key(0), D, H)
    counts = [
        int(solve("sru", drawn._replace(cell_weights=jnp.full(2 * H, size)), x).iterations)
        for size in (0.0, 1.0, 4.0)
    ]
    assert counts[0] == 2  # the first iteration solves it, the second finds it solved
    assert counts == sorted(counts)
    assert counts[-1] > 4


def test_an_overflow_ends_iterations_at_once(rng):
    """A weight of 1 adds the inputs up beyond what float32 holds."""
    params = CELLS["indrnn"].init(jax.random.key(0), D, H)._replace(recurrent_weights=jnp.ones(H))
    solution = solve("indrnn", params, jnp.full((1, 4, D), jnp.finfo(jnp.float32).max))
    assert not solution.converged
    assert solution.iterations < 5


@pytest.mark.parametrize("name", SOLVED)
def test_it_can_be_differentiated_forward(name, rng):
    params, x = make_params(name, rng, 0.5), jnp.asarray(rng.normal(size=(B, T, D)), jnp.float32)
    change = jnp.asarray(rng.normal(size=x.shape), jnp.float32)
    found, expected = (
        jax.jvp(lambda x: unroll(CELLS[name], params, x, LENGTHS).outputs, (x,), (change,))  # noqa: B023
        for unroll in (newton, dynamic)
    )
    all_close(found, expected)


@pytest.mark.parametrize("name", SOLVED)
def test_its_only_loop_is_that_of_iterations(name):
    """Beside the one that follows where they fail."""
    cell = CELLS[name]
    params = cell.init(jax.random.key(0), D, H)
    program = jax.make_jaxpr(lambda x: newton(cell, params, x).outputs)(jnp.zeros((B, T, D)))
    outside = list(instructions(program.jaxpr))
    names = [each.primitive.name for each in outside]
    assert names.count("while") == 1
    assert names.count("scan") == 0
    (choice,) = (each for each in outside if each.primitive.name == "cond")
    branches = [[each.primitive.name for each in branch.eqns] for branch in choice.params["branches"]]
    assert ["scan" in names for names in branches] == [True, False]


def instructions(program):
    """Those of a program and of what it calls, but for loops and choices."""
    for each in program.eqns:
        inner = each.params.get("jaxpr", each.params.get("call_jaxpr"))
        if each.primitive.name in ("jit", "pjit", "custom_jvp_call"):
            yield from instructions(getattr(inner, "jaxpr", inner))
        else:
            yield each


@pytest.mark.parametrize(("name", "other"), [("mingru", parallel), ("lru", parallel), ("gru", fused)])
def test_other_cells_are_run_otherwise(name, other, rng):
    params, x = make_params(name, rng, 0.5), jnp.asarray(rng.normal(size=(B, T, D)), jnp.float32)
    mine, theirs = (
        str(jax.make_jaxpr(lambda x: unroll(CELLS[name], params, x))(x))  # noqa: B023
        for unroll in (newton, other)
    )
    assert mine == theirs


def test_a_cell_that_is_not_diagonal_cannot_be_iterated(rng):
    params = make_params("gru", rng, 0.1)
    with pytest.raises(ValueError, match="whose Jacobian is diagonal"):
        solve("gru", params, jnp.ones((1, 3, D)))
