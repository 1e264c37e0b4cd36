"""Iterations of Newton's method as they are counted for benchmarks."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from rnn_jax.cells import CELLS
from rnn_jax.measuring.iterations import Case, count_iterations, count_over_training, diagonal_alone
from rnn_jax.measuring.memory import Case as Learning


@pytest.mark.parametrize("name", ["gru", "lstm"])
def test_the_diagonal_alone_is_the_diagonal_of_the_jacobian(name, rng):
    cell = CELLS[name]
    params = cell.init(jax.random.key(0), 3, 4)
    state = jax.tree.map(
        lambda s: s + jnp.asarray(rng.normal(size=s.shape)), cell.initial_state(params, (2,))
    )
    z = cell.project(params, jnp.asarray(rng.normal(size=(2, 3)), jnp.float32))
    own = diagonal_alone(cell)
    ones = jax.tree.map(jnp.ones_like, state)
    value, rates = jax.jvp(lambda s: own.advance(params, s, z)[0], (state,), (ones,))
    jax.tree.map(np.testing.assert_array_equal, value, cell.advance(params, state, z)[0])
    for row in range(2):
        one = jax.tree.map(lambda s: s[row], state)  # noqa: B023
        jacobian = jax.jacobian(lambda s: cell.advance(params, s, z[row])[0])(one)  # noqa: B023
        for place, rate in enumerate(rates):
            np.testing.assert_allclose(rate[row], np.diag(jacobian[place][place]), atol=1e-6)


def test_larger_weights_take_more_iterations():
    counts = {
        cell: [count_iterations(Case(cell, scale, 64, 0, hidden=8, batch=2)) for scale in (0.5, 2.0)]
        for cell in ("sru", "indrnn", "gru", "lstm")
    }
    for small, large in counts.values():
        assert small["converged"]
        assert 2 <= small["iterations"] < large["iterations"] <= 500


def test_counts_over_training_begin_before_it():
    case = Learning("sru", "adding", 20, 0, hidden=8, batch=4, steps=200)
    first, second, third = count_over_training(case)
    assert (first["step"], second["step"], third["step"]) == (0, 100, 200)
    assert first["iterations"] == 2  # gates that do not see the state yet
    assert first["loss"] is None
    assert second["loss"] > 0
    assert third["converged"]
