"""Every unroll with every cell that takes a path of its own: the NumPy loops, each other, and padding."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from rnn_jax.cells import CELLS
from rnn_jax.unroll import UNROLLS, dynamic, static
from tests import oracles
from tests.states import random_state
from tests.unroll.pairs import KINDS, each_kind_of_pair, each_pair

B, T, D, H = 5, 7, 3, 4
LENGTHS = np.array([0, 7, 3, 1, 6], np.int32)


@pytest.fixture
def x(rng):
    return rng.normal(size=(B, T, D)).astype(np.float32)


def make_params(name, input_size=D, seed=0):
    params = CELLS[name].init(jax.random.key(seed), input_size, H)
    return jax.tree.map(lambda p: p + 0.1, params)  # biases that show


def loss(method, name, params, x, lengths, state, **options):
    """A scalar that depends on every output and every state, each with a weight of its own."""
    result = method(CELLS[name], params, x, lengths, state, **options)
    weigh = lambda a: (a * jnp.cos(jnp.arange(a.size).reshape(a.shape))).sum()  # noqa: E731
    return sum(map(weigh, jax.tree.leaves(result)))


def all_close(a, b, tolerance=2e-5):
    jax.tree.map(lambda p, q: np.testing.assert_allclose(p, q, atol=tolerance, rtol=tolerance), a, b)


@pytest.mark.parametrize("reverse", [False, True])
@each_pair
def test_values_are_the_loop_of_the_paper(name, unroll, reverse, x, rng):
    params = make_params(name)
    state = random_state(CELLS[name], params, (B,), rng)
    result = unroll(CELLS[name], params, jnp.asarray(x), jnp.asarray(LENGTHS), state, reverse=reverse)
    outputs, final = oracles.run(name, params, x, LENGTHS, tuple(state), reverse)
    all_close(result.outputs, outputs)
    all_close(tuple(result.state), final)
    all_close(jax.tree.map(lambda s: s[0], result.state), jax.tree.map(lambda s: s[0], state), 0)  # length 0


@pytest.mark.parametrize("reverse", [pytest.param(False, marks=pytest.mark.slow), True])
@pytest.mark.parametrize("name", KINDS)
def test_static_and_dynamic_agree_in_values_and_gradients(name, reverse, x, rng):
    params = make_params(name)
    state = random_state(CELLS[name], params, (B,), rng)

    def differentiate(method, **options):
        run = lambda p, x, s: loss(method, name, p, x, LENGTHS, s, reverse=reverse, **options)  # noqa: E731
        return jax.jit(jax.value_and_grad(run, argnums=(0, 1, 2)))(params, x, state)

    expected = differentiate(static)
    for factor in (1, 2, 4):
        all_close(differentiate(dynamic, unroll=factor), expected)


@each_kind_of_pair
def test_what_padding_holds_never_matters(name, unroll, x):
    """Not in a value, and not in a gradient, even where it is infinite or not a number."""
    differentiate = jax.jit(
        jax.value_and_grad(lambda p, x: loss(unroll, name, p, x, LENGTHS, None, reverse=True), argnums=(0, 1))
    )
    counts = np.arange(T)[:, None] < LENGTHS[:, None, None]
    expected = differentiate(make_params(name), np.where(counts, x, 0).astype(np.float32))
    assert not expected[1][1][~counts[..., 0]].any()
    for filling in (1.0, 1e30, np.inf, np.nan):
        found = differentiate(make_params(name), np.where(counts, x, filling).astype(np.float32))
        jax.tree.map(np.testing.assert_array_equal, found, expected)


@pytest.mark.parametrize("name", KINDS)
def test_padded_gradients_are_those_of_each_sequence_alone(name, x):
    def alone(params):
        sequences = (x[b : b + 1, : LENGTHS[b]] for b in (1, 2))
        return sum((static(CELLS[name], params, sequence).outputs ** 2).sum() for sequence in sequences)

    def padded(params):
        return (dynamic(CELLS[name], params, x[1:3], LENGTHS[1:3]).outputs ** 2).sum()

    all_close(jax.jit(jax.grad(padded))(make_params(name)), jax.jit(jax.grad(alone))(make_params(name)))


@each_kind_of_pair
def test_a_long_text_can_be_streamed(name, unroll, x):
    """Piece by piece, each from the state of the one before, as the whole at once."""
    cell, params = CELLS[name], make_params(name)
    whole = unroll(cell, params, x, LENGTHS)
    state, pieces = None, []
    for start, end in ((0, 3), (3, 3), (3, T)):
        lengths = jnp.clip(LENGTHS - start, 0, end - start)
        piece = unroll(cell, params, x[:, start:end], lengths, state)
        state = piece.state
        pieces.append(piece.outputs)
    all_close(whole.outputs, jnp.concatenate(pieces, axis=1), 1e-6)
    all_close(whole.state, state, 1e-6)


@each_kind_of_pair
def test_all_steps_count_without_lengths(name, unroll, x):
    params = make_params(name)
    all_close(
        unroll(CELLS[name], params, x),
        unroll(CELLS[name], params, x, jnp.full(B, T)),
        1e-6,
    )


@pytest.mark.parametrize("unroll", UNROLLS.values(), ids=UNROLLS)
def test_no_steps_at_all(unroll):
    params = make_params("lstm")
    for lengths in (None, jnp.zeros(B, jnp.int32)):
        result = unroll(CELLS["lstm"], params, jnp.zeros((B, 0, D)), lengths)
        assert result.outputs.shape == (B, 0, H)
        assert not any(s.any() for s in result.state)


def test_the_scan_compiles_one_step_whatever_the_length():
    params = make_params("lstm")

    def operations(unroll, time):
        return str(jax.make_jaxpr(lambda x: unroll(CELLS["lstm"], params, x))(jnp.zeros((B, time, D)))).count(
            "dot_general"
        )

    assert operations(dynamic, 10) == operations(dynamic, 1000) == 2
    assert operations(static, 10) == 20


@pytest.mark.parametrize("unroll", UNROLLS.values(), ids=UNROLLS)
def test_unrolls_can_be_batched_by_vmap(unroll, x):
    params = make_params("gru")
    mapped = jax.vmap(lambda x: unroll(CELLS["gru"], params, x, LENGTHS).outputs)(jnp.stack([x, -x]))
    all_close(mapped[1], unroll(CELLS["gru"], params, -x, LENGTHS).outputs, 1e-6)


@pytest.mark.parametrize(
    ("name", "method"),
    [("lstm", "fused"), ("slstm", "fused"), ("gru", "hoisted"), ("mingru", "parallel"), ("sru", "newton")],
)
def test_second_derivatives_are_those_of_the_plain_scan(name, method, x):
    """Of the gradient in a direction, along that direction."""
    params = make_params(name)
    direction = jax.tree.map(lambda p: jnp.sin(jnp.arange(p.size, dtype=p.dtype)).reshape(p.shape), params)

    def curvature(unroll):
        def slope(params):
            gradient = jax.grad(lambda p: loss(unroll, name, p, x, LENGTHS, None))(params)
            return sum(jax.tree.leaves(jax.tree.map(lambda g, d: (g * d).sum(), gradient, direction)))

        return jax.jit(jax.grad(slope))(params)

    all_close(curvature(UNROLLS[method]), curvature(dynamic), 2e-3)
