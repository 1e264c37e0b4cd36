"""Forecasters, against their equations in NumPy."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from rnn_jax.cells import CELLS
from rnn_jax.errors import UserError
from rnn_jax.models.dropout import make_keys
from rnn_jax.models.forecaster import OUTPUTS, ForecasterSettings, make_forecaster
from rnn_jax.settings import check, with_flat

B, L, H, C, W, D = 2, 12, 6, 3, 3, 4
SMALL = with_flat(ForecasterSettings(), history=L, horizon=H, segment=W, hidden_size=D, dropout=0.0)


def drawn(settings):
    """A forecaster whose weights are all drawn."""
    graph, params = nnx.split(make_forecaster(settings, C, nnx.Rngs(0)))
    rng = np.random.default_rng(1)
    moved = jax.tree.map(lambda leaf: jnp.asarray(0.5 * rng.normal(size=leaf.shape), leaf.dtype), params)
    return nnx.merge(graph, moved)


@pytest.mark.parametrize("cell", ["gru", "lstm", "qrnn"])
def test_segments_are_their_equations(cell, rng):
    model = drawn(with_flat(SMALL, cell=cell))
    history = rng.normal(size=(B, L, C)).astype(np.float32)
    found = model(history)
    assert found.shape == (B, H, C, OUTPUTS)
    (params,) = model.recurrent.params()
    linear = lambda layer, x: x @ np.asarray(layer.kernel[...]) + np.asarray(layer.bias[...])  # noqa: E731
    for b in range(B):
        for c in range(C):
            x = history[b, :, c]
            state = CELLS[cell].initial_state(params, (1,))
            for segment in (x - x[-1]).reshape(-1, W):
                z = np.maximum(linear(model.entrance, segment), 0)
                state, _ = CELLS[cell].step(params, state, jnp.asarray(z[None], jnp.float32))
            for j in range(H // W):
                query = np.concatenate([model.places[j], model.variables[c]])
                _, output = CELLS[cell].step(params, state, jnp.asarray(query[None]))
                expected = linear(model.head, np.asarray(output[0])).reshape(W, OUTPUTS) + x[-1]
                np.testing.assert_allclose(found[b, j * W : (j + 1) * W, c], expected, atol=1e-5)


@pytest.mark.parametrize(
    "settings",
    [
        {"cell": "lru", "num_layers": 2, "block": "residual", "dropout": 0.2},
        {"cell": "lstm", "num_layers": 2, "zoneout": 0.2, "recurrent_dropout": 0.2, "dropout": 0.2},
        {"cell": "gru", "weight_dropout": 0.3, "num_layers": 2, "dense": True},
    ],
)
def test_any_layers_go_on_from_what_they_have_read(settings, rng):
    """Each segment to come does not depend on which others there are; with noise and without."""
    model = drawn(with_flat(SMALL, **settings))
    history = rng.normal(size=(B, L, C)).astype(np.float32)
    first = drawn(with_flat(SMALL, horizon=W, **settings))
    first.places = nnx.Param(model.places[:1])
    for name in ("entrance", "recurrent", "variables", "head"):
        setattr(first, name, getattr(model, name))
    np.testing.assert_allclose(first(history), model(history)[:, :W], atol=1e-5)
    keys = make_keys(jax.random.key(0), jnp.arange(B))
    noisy = model(history, keys)
    assert not np.allclose(noisy, model(history), atol=1e-3)
    np.testing.assert_allclose(first(history, keys), noisy[:, :W], atol=1e-5)


def test_the_linear_one_is_its_equation(rng):
    model = drawn(with_flat(SMALL, network="linear"))
    history = rng.normal(size=(B, L, C)).astype(np.float32)
    last = history[:, -1]
    moved = np.einsum("blc,lk->bck", history - last[:, None], model.head.kernel[...])
    moved = (moved + np.asarray(model.head.bias[...])).reshape(B, C, H, OUTPUTS)
    expected = np.moveaxis(moved, 1, 2) + last[:, None, :, None]
    np.testing.assert_allclose(model(history), expected, atol=1e-5)
    fresh = make_forecaster(with_flat(SMALL, network="linear"), C, nnx.Rngs(0))
    np.testing.assert_array_equal(fresh(history)[..., 0], np.repeat(last[:, None], H, axis=1))


@pytest.mark.parametrize("network", ["recurrent", "linear"])
def test_a_level_never_seen_is_no_other_series(network, rng):
    model = drawn(with_flat(SMALL, network=network))
    history = rng.normal(size=(B, L, C)).astype(np.float32)
    np.testing.assert_allclose(model(history + 7), model(history) + 7, atol=1e-4)


def test_noise_is_an_example_s_and_a_variable_s_own(rng):
    model = drawn(with_flat(SMALL, dropout=0.5, hidden_size=40))
    history = np.repeat(rng.normal(size=(1, L, 1)), C, axis=2).repeat(B, axis=0).astype(np.float32)
    model.variables = nnx.Param(jnp.zeros_like(model.variables[...]))
    keys = make_keys(jax.random.key(0), jnp.arange(B))
    found = np.asarray(model(history, keys))
    kinds = {found[b, :, c].tobytes() for b in range(B) for c in range(C)}
    assert len(kinds) == B * C
    second = model(history[1:], keys._replace(examples=keys.examples[1:]))
    np.testing.assert_allclose(second[0], found[1], atol=1e-6)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"history": 13}, "--history 13: must be a multiple of --segment 3"),
        ({"horizon": 7}, "--horizon 7: must be a multiple"),
        ({"bidirectional": True}, "--bidirectional True: what comes is not read"),
    ],
)
def test_what_does_not_go_together_is_said(changes, words):
    with pytest.raises(UserError, match=words):
        check(with_flat(SMALL, **changes))
    check(with_flat(SMALL, network="linear", history=13))
