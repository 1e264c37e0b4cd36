"""Cells around cells: by hand, and the same in every unroll, values and gradients."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from rnn_jax.cells import CELLS
from rnn_jax.cells.clipped import ClippedParams, clipped
from rnn_jax.cells.learned_initial_state import InitialStateParams, learned_initial_state
from rnn_jax.cells.noise import (
    MaskedParams,
    ZoneoutParams,
    can_drop,
    can_zone_out,
    recurrent_dropout,
    zoneout,
)
from rnn_jax.unroll import dynamic, fused, hoisted, parallel, static
from rnn_jax.unroll.directions import Directions, run_both
from tests.states import random_state

B, T, D, H = 3, 7, 2, 4
LENGTHS = np.array([7, 0, 4], np.int32)
RESETS = np.arange(T) == np.array([[2], [1], [3]])
KEYS = jax.random.split(jax.random.key(1), B)
FUSED = [name for name, cell in CELLS.items() if cell.fusion is not None]


@pytest.fixture
def x(rng):
    return jnp.asarray(rng.normal(size=(B, T, D)), jnp.float32)


def all_close(a, b, tolerance=2e-5):
    jax.tree.map(lambda p, q: np.testing.assert_allclose(p, q, atol=tolerance, rtol=tolerance), a, b)


def around(kind, name, rng):
    """A cell in another one, and what makes its parameters from the cell's own."""
    cell, mask = CELLS[name], jnp.asarray(rng.integers(0, 2, (B, H)) * 2, jnp.float32)
    masked, clip = lambda params: MaskedParams(params, mask), lambda params: ClippedParams(params, 0.05)
    if kind == "recurrent dropout":
        return recurrent_dropout(cell), masked
    if kind == "zoneout":
        return zoneout(cell), lambda params: ZoneoutParams(params, 0.4, KEYS)
    if kind == "zoneout when tested":
        return zoneout(cell), lambda params: ZoneoutParams(params, 0.4, None)
    if kind == "clipped":
        return clipped(cell), clip
    everything = clipped(zoneout(recurrent_dropout(cell)))
    return everything, lambda params: clip(ZoneoutParams(masked(params), 0.4, KEYS))


KINDS = ("recurrent dropout", "zoneout", "zoneout when tested", "clipped", "all")


@pytest.mark.parametrize("reverse", [False, pytest.param(True, marks=pytest.mark.slow)])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "name",
    [name if name in ("lstm", "gru") else pytest.param(name, marks=pytest.mark.slow) for name in FUSED],
)
def test_derivatives_by_hand_are_those_of_the_plain_scan(name, kind, reverse, x, rng):
    if not can_zone_out(CELLS[name]) and kind not in ("recurrent dropout", "clipped"):
        pytest.skip("the cell knows no zoneout")
    cell, make = around(kind, name, rng)
    params = CELLS[name].init(jax.random.key(0), D, H)

    def differentiate(unroll):
        def loss(params, x):
            outputs, state = unroll(cell, make(params), x, LENGTHS, None, RESETS, reverse=reverse)
            return (outputs * jnp.cos(jnp.arange(outputs.size).reshape(outputs.shape))).sum() + sum(
                leaf.sum() for leaf in jax.tree.leaves(state)
            )

        return jax.jit(jax.value_and_grad(loss, argnums=(0, 1)))(params, x)

    assert cell.fusion is not None
    found = differentiate(fused)
    all_close(found, differentiate(dynamic))
    all_close(found, differentiate(hoisted))


@pytest.mark.parametrize("kind", ["zoneout", pytest.param("recurrent dropout", marks=pytest.mark.slow)])
def test_second_derivatives(kind, x, rng):
    """Where one chunk holds all steps, and where several do; of a gradient that is clipped none is right."""
    cell, make = around(kind, "lstm", rng)
    params = CELLS["lstm"].init(jax.random.key(0), D, H)

    def sharpness(unroll):
        first = jax.grad(lambda p: (unroll(cell, make(p), x, LENGTHS, None, RESETS).outputs ** 2).sum())
        return jax.jit(jax.grad(lambda p: sum((g**2).sum() for g in first(p))))(params)

    expected = sharpness(dynamic)
    for unroll in (partial(fused, chunk=3), fused, hoisted):
        all_close(sharpness(unroll), expected, 3e-4)


def test_both_directions_share_a_loop_cell_and_params(x, rng):
    cell, make = around("all", "lstm", rng)
    own = [make(CELLS["lstm"].init(jax.random.key(seed), D, H)) for seed in (0, 1)]
    arguments = Directions(*own), x, LENGTHS, Directions(None, None), None
    all_close(run_both(hoisted, cell, *arguments), run_both(dynamic, cell, *arguments))


@pytest.mark.parametrize("name", ["lstm", "gru_v3", "mingru"])
def test_the_gradient_of_a_state_is_clipped_at_every_step(name, x, rng):
    """By a loop that goes back step by step."""
    cell, largest = CELLS[name], 0.02
    params = cell.init(jax.random.key(0), D, H)
    states = [random_state(cell, params, (B,), rng)]
    for t in range(T):
        states.append(cell.step(params, states[-1], x[:, t])[0])
    d_state, expected = jax.tree.map(jnp.ones_like, states[-1]), jax.tree.map(jnp.zeros_like, params)
    for t in reversed(range(T)):
        _, back = jax.vjp(lambda p, s: cell.step(p, s, x[:, t])[0], params, states[t])  # noqa: B023
        more, d_state = back(d_state)
        expected = jax.tree.map(jnp.add, expected, more)
        d_state = jax.tree.map(lambda d: d.clip(-largest, largest), d_state)

    def loss(params, start, unroll):
        state = unroll(clipped(cell), ClippedParams(params, largest), x, None, start).state
        return sum(leaf.sum() for leaf in jax.tree.leaves(state))

    for unroll in (fused, static):
        found = jax.grad(loss, argnums=(0, 1))(params, states[0], unroll)
        all_close(found, (expected, d_state))


@pytest.mark.parametrize("name", ["lstm", "mingru", "lru", "sru"])
def test_a_start_that_is_learnt_is_an_initial_state(name, x, rng):
    """Of what follows a reset, too; its gradient is the sum over all that begins in it."""
    cell = CELLS[name]
    params = cell.init(jax.random.key(0), D, H)
    start = random_state(cell, params, (), rng)

    def learned(start, unroll=fused):
        begun = InitialStateParams(params, start)
        outputs, _ = unroll(learned_initial_state(cell), begun, x[:1], None, None, RESETS[:1])
        return (outputs**2).sum()

    def by_hand(start):
        state = jax.tree.map(lambda s: s[None], start)
        pieces = (dynamic(cell, params, part, None, state).outputs for part in (x[:1, :2], x[:1, 2:]))
        return sum((piece**2).sum() for piece in pieces)

    expected = jax.value_and_grad(by_hand)(start)
    all_close(jax.value_and_grad(learned)(start), expected)
    all_close(jax.value_and_grad(learned)(start, parallel), expected)


def test_around_cells_that_are_fused_they_are_fused():
    for cell in CELLS.values():
        assert (clipped(cell).fusion is None) == (cell.fusion is None)
        assert (learned_initial_state(cell).advance_all is None) == (cell.advance_all is None)
        assert clipped(cell).advance_all is None
        if can_drop(cell):
            assert recurrent_dropout(cell).fusion is not None
        if can_zone_out(cell):
            assert (zoneout(cell).fusion is None) == (cell.fusion is None)
