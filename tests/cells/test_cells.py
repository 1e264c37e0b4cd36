"""Every cell against its equations, finite differences, and the properties its docstring promises."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.sharding import AxisType
from jax.sharding import PartitionSpec as P
from jax.test_util import check_grads

from rnn_jax.cells import CELLS
from rnn_jax.cells.cell import product, transpose
from rnn_jax.unroll import dynamic
from tests import oracles
from tests.states import random_state

SIZES = [(1, 1), (3, 5), (4, 4), (8, 4)]  # D, H
# Cells whose forget gate is open at the start, and its place among the gates.
FORGET_GATE = {
    "lstm": 1,
    "peephole_lstm": 1,
    "layer_norm_lstm": 1,
    "coupled_lstm": 0,
    "qrnn": 1,
    "minlstm": 0,
    "slstm": 1,
    "projected_lstm": 1,
}


def random_case(cell, rng, input_size, hidden_size, batch=(6,)):
    """Parameters with random biases, a random state and random inputs."""
    params = cell.init(jax.random.key(rng.integers(1 << 30)), input_size, hidden_size)
    params = jax.tree.map(lambda p: p + rng.normal(0, 0.5, p.shape).astype(np.float32), params)
    state = random_state(cell, params, batch, rng)
    return params, state, jnp.asarray(rng.normal(size=(*batch, input_size)), jnp.float32)


def test_every_cell_has_an_oracle():
    assert CELLS.keys() == oracles.STEPS.keys()


@pytest.mark.parametrize(("input_size", "hidden_size"), SIZES)
@pytest.mark.parametrize("name", CELLS)
def test_a_step_is_the_equations(name, input_size, hidden_size, rng):
    params, state, x = random_case(CELLS[name], rng, input_size, hidden_size)
    new_state, y = CELLS[name].step(params, state, x)
    expected, final = oracles.run(name, params, np.asarray(x)[:, None], np.ones(6, int), tuple(state))
    np.testing.assert_allclose(y, expected[:, 0], atol=2e-6, rtol=2e-6)
    for ours, theirs in zip(new_state, final, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=2e-6, rtol=2e-6)


@pytest.mark.parametrize("name", CELLS)
def test_a_step_is_project_then_advance(name, rng):
    cell = CELLS[name]
    params, state, x = random_case(cell, rng, 3, 5)
    together, y = cell.step(params, state, x)
    apart, z = cell.advance(params, state, cell.project(params, x))
    jax.tree.map(np.testing.assert_array_equal, (together, y), (apart, z))


@pytest.mark.parametrize("name", CELLS)
def test_project_does_not_see_the_state_and_maps_any_leading_axes(name, rng):
    cell = CELLS[name]
    params, _, _ = random_case(cell, rng, 3, 5)
    x = jnp.asarray(rng.normal(size=(2, 7, 3)), jnp.float32)
    whole = cell.project(params, x)
    for t in range(7):
        np.testing.assert_allclose(whole[:, t], cell.project(params, x[:, t]), atol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("name", CELLS)
def test_gradients_are_finite_differences(name, rng):
    cell = CELLS[name]
    params, state, x = random_case(cell, rng, 3, 4, batch=(2,))
    if name == "indrnn":  # beyond the bound, gradients are those at the bound
        params = params._replace(recurrent_weights=jnp.clip(params.recurrent_weights, -0.9, 0.9))
    with jax.enable_x64(True):
        params, state, x = jax.tree.map(lambda a: jnp.asarray(a, jnp.float64), (params, state, x))
        assert cell.initial_state(params, (2,))[0].dtype == jnp.float64
        check_grads(
            lambda *arguments: cell.step(*arguments), (params, state, x), order=2, modes=("fwd", "rev")
        )


@pytest.mark.parametrize("name", CELLS)
def test_a_step_needs_no_batch_and_takes_many(name, rng):
    cell = CELLS[name]
    params, state, x = random_case(cell, rng, 3, 5, batch=(2, 4))
    many, _ = cell.step(params, state, x)
    one, _ = cell.step(params, jax.tree.map(lambda s: s[1, 2], state), x[1, 2])
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a[1, 2], b, atol=1e-6), many, one)


@pytest.mark.parametrize("name", CELLS)
def test_initial_parameters(name):
    cell = CELLS[name]
    params = cell.init(jax.random.key(1), 7, 6)
    assert params.hidden_size == 6
    if name not in ("sru", "sru_v1", "lru", "rg_lru", "s6"):  # Glorot, gate by gate
        assert np.abs(params.input_kernel).max() <= np.sqrt(6 / (7 + 6)) + 1e-6
    if hasattr(params, "recurrent_kernel"):
        gates = params.recurrent_kernel.shape[1] // 6
        assert params.input_kernel.shape == (7, 6 * gates)
        for gate in np.split(np.asarray(params.recurrent_kernel), gates, axis=1):
            pieces = 4 if name == "projected_lstm" else 1  # side by side, for a larger memory
            np.testing.assert_allclose(gate @ gate.T * pieces, np.eye(6), atol=1e-5)
    if hasattr(params, "bias") and name != "s6":
        expected = np.zeros(params.bias.shape)
        if name in FORGET_GATE:
            size = 24 if name == "projected_lstm" else 6
            expected[size * FORGET_GATE[name] :][:size] = 1
        np.testing.assert_allclose(params.bias, expected, atol=0.5 if name == "layer_norm_lstm" else 0)


@pytest.mark.slow
def test_cells_begin_as_their_docstrings_say():
    """Where that is not the rule for all cells; over many units, so that means and bounds can be told."""
    size = 2000
    make = lambda name: CELLS[name].init(jax.random.key(2), 50, size)  # noqa: E731
    own_past = np.asarray(make("indrnn").recurrent_weights)  # uniform in [0, 1)
    assert own_past.min() >= 0
    assert 0.98 < own_past.max() < 1
    assert own_past.mean() == pytest.approx(0.5, abs=0.03)
    np.testing.assert_array_equal(make("peephole_lstm").peepholes, np.zeros(3 * size))
    for name in ("sru", "sru_v1"):
        kernel = np.asarray(make(name).input_kernel)  # uniform in ±√(3/D)
        assert np.abs(kernel).max() == pytest.approx(np.sqrt(3 / 50), rel=1e-3)
        assert kernel.var() == pytest.approx(1 / 50, rel=0.02)
    np.testing.assert_array_equal(make("sru").cell_weights, np.zeros(2 * size))
    lru = make("lru")
    real, imaginary, skip = np.split(np.asarray(lru.input_kernel), 3, axis=1)
    assert [part.var() * 50 for part in (real, imaginary, skip)] == pytest.approx([0.5, 0.5, 1], rel=0.03)
    assert [part.var() * size for part in np.split(np.asarray(lru.output_kernel), 2)] == pytest.approx(
        [1, 1], rel=0.03
    )
    radius = np.exp(-np.exp(np.asarray(lru.decay)))
    assert 0.9 <= radius.min() < 0.905 < 0.994 < radius.max() <= 0.999
    np.testing.assert_allclose(np.exp(lru.scale), np.sqrt(1 - radius**2), rtol=1e-3)
    rg_lru = make("rg_lru")
    decay = (1 / (1 + np.exp(-np.asarray(rg_lru.decay, float)))) ** 8
    assert 0.9 <= decay.min() < 0.901 < 0.998 < decay.max() <= 0.9991
    assert decay.mean() == pytest.approx(0.9495, abs=0.002)
    s6 = make("s6")
    step = np.log1p(np.exp(np.asarray(s6.bias, float)))
    assert 0.00099 < step.min() < 0.00101 < 0.099 < step.max() < 0.101
    assert np.log(step).mean() == pytest.approx(np.log(0.01), abs=0.1)
    np.testing.assert_allclose(np.exp(s6.log_rates), np.tile(np.arange(1, 17), (size, 1)), rtol=1e-6)
    for drawn in (rg_lru, s6):
        assert np.asarray(drawn.input_kernel).var() == pytest.approx(1 / 50, rel=0.02)


@pytest.mark.parametrize("name", CELLS)
def test_initial_parameters_are_a_function_of_the_key(name):
    init = CELLS[name].init
    same, again, other = (
        init(jax.random.key(1), 3, 4),
        init(jax.random.key(1), 3, 4),
        init(jax.random.key(2), 3, 4),
    )
    jax.tree.map(np.testing.assert_array_equal, same, again)
    assert not np.array_equal(same.input_kernel, other.input_kernel)


@pytest.mark.parametrize("name", CELLS)
@pytest.mark.parametrize("sizes", [(0, 3), (3, 0), (-1, 2)])
def test_sizes_below_one_are_refused(name, sizes):
    with pytest.raises(ValueError, match=r"sizes of at least 1, got input_size=-?\d, hidden_size=\d"):
        CELLS[name].init(jax.random.key(0), *sizes)


def test_forget_gate_keeps_and_input_gate_takes():
    """What the gates are for: a wide open forget gate carries a memory unchanged, a shut one drops it."""
    cell = CELLS["lstm"]
    params = jax.tree.map(jnp.zeros_like, cell.init(jax.random.key(0), 1, 1))
    state = type(cell.initial_state(params, (1,)))(jnp.zeros((1, 1)), jnp.full((1, 1), 0.7))
    for forget, kept in ((100.0, 0.7), (-100.0, 0.0)):
        gates = params._replace(bias=jnp.array([-100.0, forget, 0.0, 0.0]))
        new_state, _ = cell.step(gates, state, jnp.ones((1, 1)))
        np.testing.assert_allclose(new_state.cell, kept, atol=1e-6)


def test_update_gate_of_a_gru_keeps():
    for name in ("gru", "gru_v3"):
        cell = CELLS[name]
        params = jax.tree.map(jnp.zeros_like, cell.init(jax.random.key(0), 1, 1))
        state = type(cell.initial_state(params, (1,)))(jnp.full((1, 1), 0.7))
        for update, expected in ((100.0, 0.7), (-100.0, np.tanh(2.0))):
            gates = params._replace(bias=jnp.array([0.0, update, 2.0]))
            new_state, _ = cell.step(gates, state, jnp.ones((1, 1)))
            np.testing.assert_allclose(new_state.hidden, expected, atol=1e-6)


def test_a_product_of_bfloat16_is_the_product_of_rounded_factors(rng):
    x, kernel = (rng.normal(size=shape).astype(np.float32) for shape in ((3, 64), (64, 5)))
    rounded = [a.astype(jnp.bfloat16).astype(np.float64) for a in (x, kernel)]
    with jax.default_matmul_precision("bfloat16"):
        found = jax.jit(product)(x, kernel)
    np.testing.assert_allclose(found, rounded[0] @ rounded[1], rtol=1e-5, atol=1e-5)
    assert np.abs(found - x @ kernel).max() > 1e-3
    assert found.dtype == np.float32


def test_a_transposed_factor_is_the_same_everywhere_and_a_copy_where_products_are_rounded(rng):
    matrix = jnp.asarray(rng.normal(size=(5, 3)), jnp.float32).at[0, 0].set(jnp.nan)
    np.testing.assert_array_equal(transpose(matrix), matrix.T)
    mesh = jax.make_mesh((1,), ("d",), axis_types=(AxisType.Auto,))
    shared = jax.shard_map(transpose, mesh=mesh, in_specs=P("d"), out_specs=P(None, "d"))
    with jax.default_matmul_precision("bfloat16"):
        compiled = jax.jit(transpose).lower(matrix).compile()
        for found in (compiled(matrix), shared(matrix)):
            expected = matrix.astype(jnp.bfloat16).astype(jnp.float32).T
            np.testing.assert_array_equal(found.astype(jnp.float32), expected)
    if jax.default_backend() == "cpu":
        assert " while(" in compiled.as_text()


@pytest.mark.parametrize("name", CELLS)
def test_every_product_of_a_cell_can_be_of_bfloat16(name, rng):
    params, state, x = random_case(CELLS[name], rng, 3, 5)
    with jax.default_matmul_precision("bfloat16"):
        step = jax.make_jaxpr(CELLS[name].step)(params, state, x)
        new_state, y = CELLS[name].step(params, state, x)
    factors = [v.aval.dtype for e in step.eqns if e.primitive.name == "dot_general" for v in e.invars]
    assert factors
    assert set(factors) == {np.dtype(jnp.bfloat16)}
    assert {a.dtype for a in (*new_state, y)} == {np.dtype(np.float32)}


@pytest.mark.parametrize("name", [name for name, cell in CELLS.items() if cell.advance_all])
def test_all_steps_at_once_are_the_steps(name, rng):
    cell = CELLS[name]
    params, state, x = random_case(cell, rng, 3, 4, batch=(7, 2))
    state = jax.tree.map(lambda s: s[0], state)
    z = cell.project(params, x)
    states, outputs = cell.advance_all(params, state, z)
    for t in range(7):
        state, y = cell.advance(params, state, z[t])
        np.testing.assert_allclose(outputs[t], y, atol=1e-5, rtol=1e-5)
        jax.tree.map(lambda a, b, t=t: np.testing.assert_allclose(a[t], b, atol=1e-5), states, state)


@pytest.mark.parametrize("name", [name for name, cell in CELLS.items() if cell.advance_all])
def test_such_a_cell_is_linear_in_its_state(name, rng):
    """The state after a step is an affine function of the one before."""
    cell = CELLS[name]
    params, one, x = random_case(cell, rng, 3, 4, batch=(2,))
    other = jax.tree.map(lambda s: jnp.asarray(rng.normal(size=s.shape), jnp.float32), one)
    if name == "qrnn":  # in its memory; what the last input adds to the gates is an input
        other = other._replace(previous=one.previous)
    middle = jax.tree.map(lambda a, b: (a + b) / 2, one, other)
    after = [cell.step(params, state, x)[0] for state in (one, middle, other)]
    jax.tree.map(lambda a, m, b: np.testing.assert_allclose(m, (a + b) / 2, atol=1e-5), *after)


def test_poles_of_a_linear_recurrent_unit_lie_on_their_ring():
    params = CELLS["lru"].init(jax.random.key(0), 2, 500)
    radius = np.exp(-np.exp(params.decay))
    assert 0.9 <= radius.min() < 0.91
    assert 0.998 < radius.max() <= 0.999
    np.testing.assert_allclose(np.exp(params.scale), np.sqrt(1 - radius**2), rtol=1e-3)
    angle = np.exp(params.angle)
    assert 0 < angle.min() < 0.1
    assert 6.2 < angle.max() < 2 * np.pi + 1e-5


def test_independent_weights_are_kept_within_one():
    cell = CELLS["indrnn"]
    params = cell.init(jax.random.key(0), 1, 3)._replace(recurrent_weights=jnp.array([-5.0, 0.5, 5.0]))
    state, _ = cell.step(params, cell.initial_state(params, ())._replace(hidden=jnp.ones(3)), jnp.zeros(1))
    np.testing.assert_array_equal(state.hidden, [0, 0.5, 1])


def test_independent_weights_beyond_one_can_come_back():
    cell = CELLS["indrnn"]
    params = cell.init(jax.random.key(0), 1, 3)._replace(input_kernel=jnp.ones((1, 3)))

    @jax.grad
    def gradient(weights):
        outputs = dynamic(cell, params._replace(recurrent_weights=weights), jnp.ones((1, 5, 1))).outputs
        return (outputs**2).sum()

    found = gradient(jnp.array([-5, 0.5, 5]))
    np.testing.assert_array_equal(found, gradient(jnp.array([-1, 0.5, 1])))
    assert found[2] != 0


@pytest.mark.parametrize("name", CELLS)
def test_parameters_are_of_one_type_and_the_same_numbers_in_64_bits(name):
    """What `jax_enable_x64` says of the types of new arrays changes none."""
    init = CELLS[name].init
    expected = init(jax.random.key(1), 3, 4)
    with jax.enable_x64(True):
        for dtype in (jnp.float32, jnp.float64, jnp.bfloat16):
            params = init(jax.random.key(1), 3, 4, dtype)
            state = CELLS[name].initial_state(params, (2,))
            assert {leaf.dtype for leaf in (*params, *state)} == {np.dtype(dtype)}
            for found, same in zip(params, expected, strict=True):
                np.testing.assert_array_equal(found, same.astype(dtype))


@pytest.mark.parametrize("name", CELLS)
def test_parameters_and_states_can_be_donated(name):
    """No two of their arrays share memory."""
    params = CELLS[name].init(jax.random.key(0), 3, 4)
    state = CELLS[name].initial_state(params, (2,))
    pointers = [leaf.unsafe_buffer_pointer() for leaf in (*params, *state)]
    assert len(set(pointers)) == len(pointers)
