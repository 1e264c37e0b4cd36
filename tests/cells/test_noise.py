"""Cells made noisy, against loops of the paper with noise by hand."""

from itertools import pairwise

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from rnn_jax.cells import CELLS
from rnn_jax.cells.noise import (
    MaskedParams,
    ZoneoutParams,
    can_drop,
    can_zone_out,
    recurrent_dropout,
    zoneout,
)
from rnn_jax.unroll import UNROLLS, dynamic
from tests import oracles

B, T, D, H = 3, 6, 2, 4
LENGTHS = np.array([6, 0, 4], np.int32)


def case(name, rng):
    params = CELLS[name].init(jax.random.key(0), D, H)
    return params, jnp.asarray(rng.normal(size=(B, T, D)), jnp.float32)


@pytest.mark.parametrize("name", [name for name, cell in CELLS.items() if can_drop(cell)])
def test_products_see_the_masked_state_and_nothing_else_does(name, rng):
    """h ⊙ m U is h (diag(m) U): each sequence by itself is a cell with other recurrent weights."""
    params, x = case(name, rng)
    mask = jnp.asarray(rng.integers(0, 2, (B, H)) * 2, jnp.float32)
    found = dynamic(recurrent_dropout(CELLS[name]), MaskedParams(params, mask), x, LENGTHS)
    for b in range(B):
        own = params._replace(recurrent_kernel=mask[b][:, None] * params.recurrent_kernel)
        start = jax.tree.map(np.asarray, CELLS[name].initial_state(params, (1,)))
        outputs, state = oracles.run(name, own, np.asarray(x[b : b + 1]), LENGTHS[b : b + 1], tuple(start))
        np.testing.assert_allclose(found.outputs[b], outputs[0], atol=1e-5)
        for ours, theirs in zip(found.state, state, strict=True):
            np.testing.assert_allclose(ours[b], theirs[0], atol=1e-5)


def test_cells_that_cannot_be_taken_apart_are_refused():
    assert not can_drop(CELLS["mgu"])
    with pytest.raises(ValueError, match="one product a step and the rest"):
        recurrent_dropout(CELLS["mgu"])


ZONED = [name for name, cell in CELLS.items() if can_zone_out(cell)]


def test_what_zones_out():
    assert set(CELLS) - set(ZONED) == {"qrnn", "sru", "sru_v1", "lru", "s6", "slstm"}


@pytest.mark.parametrize("name", ZONED)
def test_without_keys_the_state_is_what_is_to_be_expected(name, rng):
    params, x = case(name, rng)
    found = dynamic(zoneout(CELLS[name]), ZoneoutParams(params, 0.3, None), x, LENGTHS)
    state = CELLS[name].initial_state(params, (B,))
    for t in range(T):
        new, _ = CELLS[name].step(params, state, x[:, t])
        state = jax.tree.map(lambda o, n: 0.3 * o + 0.7 * n, state, new)
        running = t < LENGTHS
        np.testing.assert_allclose(found.outputs[running, t], state.hidden[running], atol=1e-6)
    assert not found.outputs[1].any()
    np.testing.assert_array_equal(found.state.step[:, 0], LENGTHS)


@pytest.mark.parametrize("name", ["elman", "lstm", "mingru"])
def test_a_unit_keeps_its_old_state_or_goes_on(name, rng):
    cell = CELLS[name]
    params = cell.init(jax.random.key(0), D, 500)
    noisy = ZoneoutParams(params, 0.3, jax.random.split(jax.random.key(1), B))
    state = zoneout(cell).initial_state(noisy, (B,))
    kept = []
    for t in range(3):
        x = jnp.asarray(rng.normal(size=(B, D)), jnp.float32)
        new, _ = cell.step(params, state.state, x)
        after, y = zoneout(cell).step(noisy, state, x)
        np.testing.assert_array_equal(y, after.state.hidden)
        kept.append([np.asarray(a == o) for a, o in zip(after.state, state.state, strict=True)])
        for a, o, n in zip(after.state, state.state, new, strict=True):
            assert ((a == o) | np.isclose(a, n, atol=1e-6)).all()
            assert 0.25 < (a == o).mean() < 0.35, t
        state = after
    for before, now in pairwise(kept):  # drawn anew at every step, for every array
        assert 0.5 < (before[0] == now[0]).mean() < 0.65
    if name == "lstm":
        assert 0.5 < (kept[1][0] == kept[1][1]).mean() < 0.65


def test_nobody_zones_out_at_rate_zero(rng):
    params, x = case("gru", rng)
    for keys in (None, jax.random.split(jax.random.key(1), B)):
        found = dynamic(zoneout(CELLS["gru"]), ZoneoutParams(params, 0.0, keys), x, LENGTHS)
        np.testing.assert_allclose(
            found.outputs, dynamic(CELLS["gru"], params, x, LENGTHS).outputs, atol=1e-6
        )


@pytest.mark.parametrize("method", UNROLLS)
def test_every_unroll_runs_noisy_cells(method, rng):
    params, x = case("lstm", rng)
    noisy = ZoneoutParams(MaskedParams(params, jnp.ones((B, H))), 0.3, jax.random.split(jax.random.key(1), B))
    cell = zoneout(recurrent_dropout(CELLS["lstm"]))

    def differentiate(unroll):
        def loss(params):
            inner = noisy.params._replace(params=params)
            return (unroll(cell, noisy._replace(params=inner), x, LENGTHS).outputs ** 2).sum()

        return jax.jit(jax.value_and_grad(loss))(params)

    found, expected = differentiate(UNROLLS[method]), differentiate(dynamic)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=1e-5), found, expected)
