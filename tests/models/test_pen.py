"""The pen: what it says of a drawing, step by step and all at once."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from rnn_jax.errors import UserError
from rnn_jax.models.dropout import make_keys
from rnn_jax.models.pen import Pen, PenSettings
from rnn_jax.settings import check, with_flat

B, T = 3, 9
SMALL = with_flat(PenSettings(), hidden_size=5, mixtures=2, dropout=0.0)
SETTINGS = {
    "lstm": SMALL,
    "gru, two layers": with_flat(SMALL, cell="gru", num_layers=2),
    "lstm, zoneout": with_flat(SMALL, zoneout=0.2),
    "window": with_flat(SMALL, network="window"),
}
each = pytest.mark.parametrize("settings", SETTINGS.values(), ids=SETTINGS)


@pytest.fixture
def points(rng):
    found = rng.normal(size=(B, T, 3)).astype(np.float32)
    found[..., 2] = rng.integers(0, 3, (B, T))
    return found


@each
def test_steps_are_what_is_said_of_the_whole(settings, points):
    model = Pen(settings, nnx.Rngs(0))
    whole = model(points, jnp.full(B, T))
    before, state = model.start(B)
    for t in range(T):
        found, state = model.step(before, state)
        at_once = jax.tree.map(lambda leaf, t=t: leaf[:, t], whole)
        jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=1e-5), found, at_once)
        before = jnp.asarray(points[:, t])


@each
def test_nothing_is_read_before_it_is_predicted(settings, points):
    model = Pen(settings, nnx.Rngs(0))
    changed = points.copy()
    changed[:, 4] += 1
    first, second = (model(p, jnp.full(B, T)).action for p in (points, changed))
    np.testing.assert_array_equal(first[:, :5], second[:, :5])
    assert (np.asarray(first[:, 5]) != np.asarray(second[:, 5])).any()


def test_a_window_reads_four_points(points):
    model = Pen(SETTINGS["window"], nnx.Rngs(0))
    changed = points.copy()
    changed[:, 0] += 1
    first, second = (model(p, jnp.full(B, T)).action for p in (points, changed))
    assert (np.asarray(first[:, 4]) != np.asarray(second[:, 4])).any()
    np.testing.assert_array_equal(first[:, 5:], second[:, 5:])


@each
def test_likelihood_of_points(settings, points):
    """Actions by the softmax; the derivative reaches all weights."""
    model = Pen(settings, nnx.Rngs(0))
    graph, params = nnx.split(model)

    def total(params):
        offsets, actions = nnx.merge(graph, params)(points, jnp.full(B, T)).log_likelihood(points)
        return (offsets + actions).sum(), actions

    (_, actions), gradients = jax.value_and_grad(total, has_aux=True)(params)
    logs = np.asarray(model(points, jnp.full(B, T)).action)
    for b in range(B):
        for t in range(T):
            assert actions[b, t] == pytest.approx(logs[b, t, int(points[b, t, 2])], abs=1e-6)
    assert all(np.abs(leaf).max() > 0 for leaf in jax.tree.leaves(gradients))


def test_noise_is_drawn_for_each_drawing(points):
    model = Pen(with_flat(SMALL, dropout=0.5), nnx.Rngs(0))
    keys = make_keys(jax.random.key(1), jnp.arange(B))
    found = model(points, jnp.full(B, T), keys)
    part = model(points[1:], jnp.full(B - 1, T), make_keys(jax.random.key(1), jnp.arange(1, B)))
    np.testing.assert_allclose(found.action[1:], part.action, atol=1e-6)
    assert (np.asarray(found.action) != np.asarray(model(points, jnp.full(B, T)).action)).any()


def test_what_comes_is_not_read():
    with pytest.raises(UserError, match="--bidirectional"):
        check(with_flat(PenSettings(), bidirectional=True))
