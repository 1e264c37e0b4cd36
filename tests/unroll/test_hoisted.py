"""Little in the loop, and both directions in one, against the plain scan."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.extend.core import jaxprs_in_params

from rnn_jax.cells import CELLS
from rnn_jax.unroll import Directions, auto, dynamic, fused, hoisted, run_layer
from tests.unroll.test_fused import FUSED, B, D, H, all_close, problem


def both_problem(name, rng, time):
    """Parameters and states of both directions, inputs, and a loss that depends on all that comes out."""
    ((params, _, state), _), ((others, _, start), _) = problem(name, rng), problem(name, rng)
    x = jnp.asarray(rng.normal(size=(B, time, D)), jnp.float32)
    weights = jnp.asarray(rng.normal(size=(B, time, 2 * H)), jnp.float32)

    def loss(unroll, lengths, params, x, state):
        outputs, states = run_layer(unroll, CELLS[name], params, x, lengths, state)
        return (outputs * weights).sum() + sum(jnp.sin(leaf).sum() for leaf in jax.tree.leaves(states))

    return (Directions(params, others), x, Directions(state, start)), loss


@pytest.mark.parametrize(
    ("reverse", "lengths"), [(True, (0, 7, 4)), pytest.param(False, None, marks=pytest.mark.slow)]
)
@pytest.mark.parametrize("name", FUSED)
def test_values_and_gradients_are_those_of_the_plain_scan(name, reverse, lengths, rng):
    arguments, loss = problem(name, rng)
    lengths = None if lengths is None else jnp.array(lengths)

    def differentiate(method):
        run = lambda *a: loss(method, lengths, *a, reverse=reverse)  # noqa: E731
        return jax.jit(jax.value_and_grad(run, argnums=(0, 1, 2)))(*arguments)

    all_close(differentiate(hoisted), differentiate(dynamic), 3e-5)


@pytest.mark.parametrize(("time", "lengths"), [(19, (0, 19, 7)), (3, None)])
@pytest.mark.parametrize("name", ["lstm", "gru", pytest.param("gru_v3", marks=pytest.mark.slow)])
def test_both_directions_are_each_one_on_its_own(name, time, lengths, rng):
    """Whether turns of the loop divide the time or not, with states to start from, of unlike lengths."""
    arguments, loss = both_problem(name, rng, time)
    lengths = None if lengths is None else jnp.array(lengths)

    def differentiate(method):
        return jax.jit(jax.value_and_grad(lambda *a: loss(method, lengths, *a), (0, 1, 2)))(*arguments)

    all_close(differentiate(hoisted), differentiate(dynamic), 3e-5)


def test_whole_turns_and_what_is_left_of_them_in_reverse_and_with_resets(rng):
    """With several chunks of `fused`, too, of which one is left over."""
    (params, _, state), _ = problem("lstm", rng)
    x = jnp.asarray(rng.normal(size=(B, 19, D)), jnp.float32)
    lengths, resets = jnp.array([19, 18, 3]), jnp.asarray(rng.random((B, 19)) < 0.2)

    def differentiate(method):
        def loss(params, x, state):
            found = method(CELLS["lstm"], params, x, lengths, state, resets, reverse=True)
            return sum(jnp.sin(leaf).sum() for leaf in jax.tree.leaves(found))

        return jax.jit(jax.value_and_grad(loss, (0, 1, 2)))(params, x, state)

    expected = differentiate(dynamic)
    for method in (hoisted, partial(fused, chunk=8), partial(fused, chunk=0)):
        all_close(differentiate(method), expected, 3e-5)


def test_no_steps_end_in_the_states_that_were_given(rng):
    (params, x, states), _ = both_problem("lstm", rng, 0)
    outputs, found = run_layer(hoisted, CELLS["lstm"], params, x, None, states)
    assert outputs.shape == (B, 0, 2 * H)
    jax.tree.map(np.testing.assert_array_equal, found, states)


def test_halves_of_unlike_sizes_and_types_run_apart(rng):
    """Each as it does alone."""
    cell, x = CELLS["gru"], jnp.asarray(rng.normal(size=(B, 5, D)), jnp.bfloat16)
    unlike = (
        Directions(cell.init(jax.random.key(0), D, 4), cell.init(jax.random.key(1), D, 6)),
        Directions(cell.init(jax.random.key(0), D, H, jnp.bfloat16), cell.init(jax.random.key(1), D, H)),
    )
    for params in unlike:
        expected = run_layer(fused, cell, params, x)
        for unroll in (hoisted, auto):
            found = jax.jit(lambda params, unroll=unroll: run_layer(unroll, cell, params, x))(params)
            assert jax.tree.map(jnp.result_type, found) == jax.tree.map(jnp.result_type, expected)
            jax.tree.map(partial(np.testing.assert_allclose, atol=2e-2), found, expected)


def equations(jaxpr, name):
    """All of a kind in a program and what it calls."""
    for equation in jaxpr.eqns:
        if equation.primitive.name == name:
            yield equation
        for inner in jaxprs_in_params(equation.params):
            yield from equations(inner, name)


def products(jaxpr):
    return sorted(each.invars[1].aval.shape for each in equations(jaxpr, "dot_general"))


def test_loops_run_eight_steps_a_turn_and_multiply_by_the_recurrent_weights_alone():
    cell, time = CELLS["lstm"], 32
    params, x = cell.init(jax.random.key(0), D, H), jnp.ones((B, time, D))
    train = jax.grad(lambda params, x: hoisted(cell, params, x).outputs.sum(), argnums=(0, 1))
    program = jax.make_jaxpr(train)(params, x).jaxpr
    loops = [loop for loop in equations(program, "scan") if loop.params["length"] > 1]  # not that over chunks
    forward, backward = loops
    assert (forward.params["length"], backward.params["length"]) == (time // 8, time)
    assert backward.params["unroll"] == 8
    stored = list(equations(forward.params["jaxpr"].jaxpr, "dynamic_update_slice"))
    assert {each.invars[1].aval.shape[0] for each in stored} == {8}  # at once
    assert products(forward.params["jaxpr"].jaxpr) == 8 * [(H, 4 * H)]
    assert products(backward.params["jaxpr"].jaxpr) == [(4 * H, H)]
    outside = [(D, 4 * H), (4 * H, D), (time * B, 4 * H), (time * B, 4 * H)]
    assert products(program) == sorted([*outside, *(8 * [(H, 4 * H)]), (4 * H, H)])
