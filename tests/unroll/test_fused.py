"""The derivatives by hand, against those of the plain scan."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from rnn_jax.cells import CELLS, GRU_V3
from rnn_jax.unroll import dynamic, fused

B, T, D, H = 3, 7, 4, 5
FUSED = [name for name, cell in CELLS.items() if cell.fusion is not None]


def problem(name, rng):
    """Parameters, inputs and a state, and a loss that depends on every output and every state."""
    draw = lambda a: jnp.asarray(rng.normal(size=a.shape), jnp.float32)  # noqa: E731
    params = jax.tree.map(lambda p: p + 0.2 * draw(p), CELLS[name].init(jax.random.key(0), D, H))
    state = jax.tree.map(draw, CELLS[name].initial_state(params, (B,)))
    x = draw(jnp.zeros((B, T, D)))
    weights = jax.tree.map(draw, dynamic(CELLS[name], params, x, None, state))

    def loss(method, lengths, params, x, state, **options):
        result = method(CELLS[name], params, x, lengths, state, **options)
        return sum(jax.tree.leaves(jax.tree.map(lambda a, w: (a * w).sum(), result, weights)))

    return (params, x, state), loss


def all_close(a, b, tolerance=1e-5):
    jax.tree.map(lambda p, q: np.testing.assert_allclose(p, q, atol=tolerance, rtol=tolerance), a, b)


@pytest.mark.parametrize(
    ("chunk", "reverse", "lengths"),
    [
        pytest.param(1, False, (0, 7, 4), marks=pytest.mark.slow),
        pytest.param(3, False, (0, 7, 4), marks=pytest.mark.slow),
        (3, True, (0, 7, 4)),
        (4, False, None),
        pytest.param(4, True, None, marks=pytest.mark.slow),
        pytest.param(7, True, (0, 7, 4), marks=pytest.mark.slow),
        pytest.param(16, False, None, marks=pytest.mark.slow),
    ],
)
@pytest.mark.parametrize("name", FUSED)
def test_values_and_gradients_are_those_of_the_plain_scan(name, chunk, reverse, lengths, rng):
    """Whether chunks divide the time, or leave steps over, or hold it whole."""
    arguments, loss = problem(name, rng)
    lengths = None if lengths is None else jnp.array(lengths)

    def differentiate(method, **options):
        run = lambda *a: loss(method, lengths, *a, reverse=reverse, **options)  # noqa: E731
        return jax.jit(jax.value_and_grad(run, argnums=(0, 1, 2)))(*arguments)

    all_close(differentiate(fused, chunk=chunk), differentiate(dynamic), 3e-5)


@pytest.mark.slow
@pytest.mark.parametrize("name", FUSED)
def test_finite_differences(name, rng):
    """In float64, with nothing of ours on the other side but the value."""
    arguments, loss = problem(name, rng)
    with jax.enable_x64(True):
        arguments = jax.tree.map(lambda a: jnp.asarray(a, jnp.float64), arguments)
        run = jax.jit(lambda a: loss(fused, jnp.array([0, 7, 4]), *a, chunk=3))
        direction = jax.tree.map(lambda a: jnp.asarray(rng.normal(size=a.shape)), arguments)
        along = lambda t: float(run(jax.tree.map(lambda a, d: a + t * d, arguments, direction)))  # noqa: E731
        slope = (along(1e-5) - along(-1e-5)) / 2e-5
        gradients = jax.jit(jax.grad(run))(arguments)
        found = sum(jax.tree.leaves(jax.tree.map(lambda g, d: (g * d).sum(), gradients, direction)))
    np.testing.assert_allclose(found, slope, rtol=1e-6)


@pytest.mark.parametrize("reverse", [False, True])
def test_the_gradient_of_no_steps_at_all(reverse):
    params = CELLS["lstm"].init(jax.random.key(0), D, H)
    run = lambda p, s: fused(CELLS["lstm"], p, jnp.zeros((B, 0, D)), None, s, reverse=reverse)  # noqa: E731
    start = CELLS["lstm"].initial_state(params, (B,))
    d_params, d_start = jax.grad(lambda p, s: run(p, s).state.cell.sum(), argnums=(0, 1))(params, start)
    assert not any(g.any() for g in (*d_params, d_start.hidden))
    np.testing.assert_array_equal(d_start.cell, 1)


def test_the_backward_pass_has_the_precision_of_the_forward_pass(rng):
    """As it is with JAX's own products: what holds when the gradient is asked for does not count."""
    (params, x, state), loss = problem("gru", rng)

    def with_precision(inside, params):
        with jax.default_matmul_precision(inside):
            return loss(fused, None, params, x, state)

    def gradient(before, inside, after):
        with jax.default_matmul_precision(before):
            _, back = jax.vjp(partial(with_precision, inside), params)
        with jax.default_matmul_precision(after):
            return back(jnp.float32(1))[0]

    rounded = gradient("bfloat16", "bfloat16", "bfloat16")
    all_close(gradient("float32", "bfloat16", "float32"), rounded, 1e-6)
    compiled = jax.jit(lambda params: with_precision("bfloat16", params))
    with jax.default_matmul_precision("float32"):
        value, found = jax.value_and_grad(compiled)(params)
    all_close(found, rounded, 1e-6)
    np.testing.assert_allclose(value, with_precision("bfloat16", params), rtol=1e-6)
    exact = gradient("float32", "float32", "float32")
    all_close(gradient("bfloat16", "float32", "bfloat16"), exact, 1e-6)
    assert np.abs(rounded.recurrent_kernel - exact.recurrent_kernel).max() > 1e-3


@pytest.mark.slow
@pytest.mark.parametrize("name", FUSED)
def test_second_derivatives(name, rng):
    """The gradient of the length of the gradient."""
    arguments, loss = problem(name, rng)

    def sharpness(method):
        first = jax.grad(lambda a: loss(method, jnp.array([0, 7, 4]), *a))
        return jax.jit(jax.grad(lambda a: sum((g**2).sum() for g in jax.tree.leaves(first(a)))))(arguments)

    all_close(sharpness(fused), sharpness(dynamic), 3e-4)


@pytest.mark.slow
@pytest.mark.parametrize("name", FUSED)
def test_gradients_can_be_mapped(name, rng):
    (params, x, state), loss = problem(name, rng)
    gradient = jax.grad(lambda params, x: loss(fused, jnp.array([0, 7, 4]), params, x, state, chunk=3))
    mapped = jax.jit(jax.vmap(gradient, in_axes=(None, 0)))(params, jnp.stack([x, -x]))
    all_close(jax.tree.map(lambda g: g[1], mapped), gradient(params, -x))


def test_forward_derivatives_are_refused_with_words(rng):
    (params, x, state), loss = problem("lstm", rng)
    with pytest.raises(TypeError, match="forward-mode"):
        jax.jvp(lambda x: loss(fused, None, params, x, state), (x,), (x,))


def test_a_cell_that_cannot_be_taken_apart_is_scanned(rng):
    params = GRU_V3.init(jax.random.key(0), D, H)
    x = jnp.asarray(rng.normal(size=(B, T, D)), jnp.float32)
    jax.tree.map(np.testing.assert_array_equal, fused(GRU_V3, params, x), dynamic(GRU_V3, params, x))
