"""How cuDNN is called, with JAX's own description of what cuDNN computes in its place."""

import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.experimental import rnn

from rnn_jax.cells import CELLS, LSTM
from rnn_jax.unroll import Directions, cudnn, dynamic, fused, run_layer
from tests.unroll.pairs import KINDS

B, T, D, H = 5, 7, 3, 4
LENGTHS = jnp.array([0, 7, 3, 1, 6], jnp.int8)


MODULE = sys.modules["rnn_jax.unroll.cudnn"]


@pytest.fixture
def described(monkeypatch):
    """The reference that JAX tests cuDNN against, and a GPU that is said to be there."""

    def lstm(x, h, c, weights, lengths, *sizes):
        if not isinstance(lengths, jax.core.Tracer):
            assert lengths.min() >= 1  # cuDNN refuses others
        return rnn.lstm_ref(x, h, c, *rnn.unpack_lstm_weights(weights, *sizes[:3], sizes[4]), lengths, *sizes)

    monkeypatch.setattr(rnn, "lstm", lstm)
    monkeypatch.setattr(MODULE, "is_there", lambda: True)


@pytest.fixture
def on_gpu(described, monkeypatch):
    """What is chosen for a GPU is taken everywhere."""
    monkeypatch.setattr(jax.lax, "platform_dependent", lambda *arguments, cuda, default: cuda(*arguments))


@pytest.mark.slow
@pytest.mark.parametrize("lengths", [None, LENGTHS], ids=["whole", "padded"])
@pytest.mark.parametrize("reverse", [False, True])
def test_values_and_gradients_are_those_of_the_plain_scan(on_gpu, reverse, lengths, rng):
    params = LSTM.init(jax.random.key(0), D, H)
    x = jnp.asarray(rng.normal(size=(B, T, D)), jnp.float32)
    state = jax.tree.map(
        lambda s: jnp.asarray(rng.normal(size=s.shape), jnp.float32), LSTM.initial_state(params, (B,))
    )
    weights = jnp.asarray(rng.normal(size=(B, T, H)), jnp.float32)

    def differentiate(method):
        def loss(params, x, state):
            outputs, state = method(LSTM, params, x, lengths, state, reverse=reverse)
            return (outputs * weights).sum() + (state.hidden - 2 * state.cell).sum()

        return jax.value_and_grad(loss, argnums=(0, 1, 2))(params, x, state)

    jax.tree.map(
        lambda a, b: np.testing.assert_allclose(a, b, atol=2e-5, rtol=2e-5),
        differentiate(cudnn),
        differentiate(dynamic),
    )


@pytest.mark.parametrize("lengths", [None, LENGTHS], ids=["whole", "padded"])
def test_both_directions_are_one_call(on_gpu, lengths, rng, monkeypatch):
    one, other = (LSTM.init(jax.random.key(seed), D, H) for seed in (0, 1))
    params, x = Directions(one, other), jnp.asarray(rng.normal(size=(B, T, D)), jnp.float32)
    start = jax.tree.map(
        lambda s: jnp.asarray(rng.normal(size=s.shape), jnp.float32),
        Directions(*(LSTM.initial_state(half, (B,)) for half in params)),
    )
    expected = run_layer(dynamic, LSTM, params, x, lengths, start)
    calls, call = [], rnn.lstm
    monkeypatch.setattr(rnn, "lstm", lambda *a: calls.append(a) or call(*a))
    found = run_layer(cudnn, LSTM, params, x, lengths, start)
    assert len(calls) == 1
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=1e-6), found, expected)


def test_it_is_chosen_when_a_program_is_compiled(described, monkeypatch):
    """One program for all platforms: cuDNN on a GPU, the other unroll elsewhere."""
    monkeypatch.setattr(MODULE, "pack", lambda params: jnp.full(4 * H * (D + H + 2), 0.123))  # a mark
    params, x = LSTM.init(jax.random.key(0), D, H), jnp.ones((B, T, D))
    traced = jax.jit(lambda params, x: cudnn(LSTM, params, x, LENGTHS)).trace(params, x)
    texts = {name: traced.lower(lowering_platforms=(name,)).as_text() for name in ("cuda", "cpu", "tpu")}
    assert {name: "1.230000e-01" in text for name, text in texts.items()} == {
        "cuda": True,
        "cpu": False,
        "tpu": False,
    }
    if jax.default_backend() == "gpu":
        return  # where the marked weights would be taken
    expected = fused(LSTM, params, x, LENGTHS)
    found = traced.lower().compile()(params, x)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=1e-6), found, expected)


@pytest.mark.parametrize("precision", ["bfloat16", "default"])
def test_bfloat16_products_are_anothers(on_gpu, monkeypatch, precision):
    """JAX's bindings of cuDNN raise NotImplementedError where they are asked for."""
    monkeypatch.setattr(rnn, "lstm", None)
    params, x = LSTM.init(jax.random.key(0), D, H), jnp.ones((B, T, D))
    with jax.default_matmul_precision(precision):
        found, expected = (unroll(LSTM, params, x, LENGTHS) for unroll in (cudnn, fused))
    jax.tree.map(np.testing.assert_array_equal, found, expected)


def test_no_steps_at_all(described):
    params = LSTM.init(jax.random.key(0), D, H)
    assert cudnn(LSTM, params, jnp.zeros((B, 0, D))).outputs.shape == (B, 0, H)


@pytest.mark.parametrize("name", KINDS)
def test_elsewhere_another_unroll_does_the_same(name, rng):
    if jax.default_backend() == "gpu" and name == "lstm":
        pytest.skip("cuDNN itself runs here; the tests over all unrolls compare it")
    cell = CELLS[name]
    params = cell.init(jax.random.key(0), D, H)
    x = jnp.asarray(rng.normal(size=(B, T, D)), jnp.float32)
    expected = fused(cell, params, x, LENGTHS)
    jax.tree.map(np.testing.assert_array_equal, cudnn(cell, params, x, LENGTHS), expected)
