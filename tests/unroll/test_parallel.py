"""All steps at once against one after the other."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from rnn_jax.cells import CELLS
from rnn_jax.unroll import dynamic, parallel

LINEAR = [name for name, cell in CELLS.items() if cell.advance_all is not None]
B, D, H = 2, 3, 4


def test_the_linear_cells_are_known():
    assert set(LINEAR) == {"qrnn", "sru_v1", "mingru", "minlstm", "lru", "rg_lru", "s6"}


@pytest.mark.parametrize("time", [1, 37, pytest.param(16_384, marks=pytest.mark.slow)])
@pytest.mark.parametrize("name", LINEAR)
def test_it_is_the_scan_in_values_and_gradients(name, time, rng):
    cell = CELLS[name]
    params = cell.init(jax.random.key(1), D, H)
    x = jnp.asarray(rng.normal(size=(B, time, D)), jnp.float32)
    weights = jnp.asarray(rng.normal(size=(B, time, H)), jnp.float32)
    lengths = jnp.array([time, 2 * time // 3])
    initial = jax.tree.map(
        lambda zeros: jnp.asarray(rng.normal(size=zeros.shape), zeros.dtype), cell.initial_state(params, (B,))
    )

    def differentiate(method):
        def loss(params, x, state):
            outputs, state = method(cell, params, x, lengths, state)
            return (outputs * weights).sum() + sum(leaf.sum() for leaf in state), (outputs, state)

        gradients, unrolled = jax.jit(jax.grad(loss, (0, 1, 2), has_aux=True))(params, x, initial)
        return [*jax.tree.leaves(gradients), *jax.tree.leaves(unrolled)]

    # Each number by its own size, or by the typical one of its array where terms of either sign cancel.
    for ours, theirs in zip(differentiate(parallel), differentiate(dynamic), strict=True):
        assert (theirs != 0).any()
        np.testing.assert_allclose(ours, theirs, rtol=1e-3, atol=1e-3 * float(jnp.abs(theirs).mean()))


@pytest.mark.parametrize("name", LINEAR)
def test_there_is_no_loop_in_it(name):
    """And no more levels than a tree of all steps has."""
    cell = CELLS[name]
    params = cell.init(jax.random.key(0), D, H)

    def operations(time):
        text = str(jax.make_jaxpr(lambda x: parallel(cell, params, x).outputs)(jnp.ones((B, time, D))))
        assert "scan[" not in text
        assert "while[" not in text
        return text.count(" = ")

    per_doubling = operations(256) - operations(128)
    assert operations(4096) == operations(256) + 4 * per_doubling


def test_other_cells_are_scanned(rng):
    cell = CELLS["gru_v3"]
    params = cell.init(jax.random.key(0), D, H)
    x = jnp.asarray(rng.normal(size=(B, 5, D)), jnp.float32)
    np.testing.assert_array_equal(parallel(cell, params, x).outputs, dynamic(cell, params, x).outputs)
