"""Long sequences and inputs of any size: everything stays finite, values and gradients."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from rnn_jax.cells import CELLS
from rnn_jax.unroll import UNROLLS
from tests.unroll.pairs import PAIRS

MAGNITUDES = [0.0, 1e-45, 1e-30, 1e-3, 1.0, 1e3, 1e8, 1e15, 1e30, 3.4e38]
B, T, D, H = 2, 10_000, 3, 4
LONG = [(name, method) for name, method in PAIRS if method in ("dynamic", "fused", "parallel")]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "method"), LONG)
def test_ten_thousand_steps_of_any_magnitude_stay_finite(name, method):
    cell, unroll = CELLS[name], UNROLLS[method]
    params = cell.init(jax.random.key(0), D, H)

    @jax.jit
    def run(params, x, weights):
        def loss(params, x, state):
            outputs, state = unroll(cell, params, x, None, state)
            return (outputs * weights).sum() + sum(leaf.sum() for leaf in state), (outputs, state)

        initial = cell.initial_state(params, (B,))
        return jax.grad(loss, (0, 1, 2), has_aux=True)(params, x, initial)

    rng = np.random.default_rng(1)
    for signs in ("mixed", "positive"):
        for magnitude in MAGNITUDES:
            x = rng.uniform(-1, 1, (B, T, D)) if signs == "mixed" else np.ones((B, T, D))
            x = (x * magnitude).astype(np.float32)
            assert np.isfinite(x).all()
            gradients, values = run(params, x, jnp.asarray(rng.standard_normal((B, T, H)), jnp.float32))
            for leaf in jax.tree.leaves((gradients, values)):
                assert np.isfinite(leaf).all(), (signs, magnitude)


@pytest.mark.parametrize("method", UNROLLS)
def test_inputs_are_what_they_are_up_to_the_limit(method):
    cell = CELLS["elman_relu"]
    params = cell.init(jax.random.key(0), 1, 1)._replace(input_kernel=jnp.ones((1, 1)))
    x = jnp.array([[[1e14], [1e15], [1e16], [3e38]]])
    state = cell.initial_state(params, (1,))
    for t, expected in enumerate([1e14, 1e15, 1e15, 1e15]):
        assert UNROLLS[method](cell, params, x[:, t : t + 1], None, state).outputs == np.float32(expected)
