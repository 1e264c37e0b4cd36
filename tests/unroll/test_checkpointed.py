"""What is kept, and what is run again."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from rnn_jax.cells import CELLS
from rnn_jax.unroll import checkpointed, dynamic
from tests.unroll.pairs import KINDS

B, T, D, H = 4, 11, 3, 5


@pytest.mark.parametrize(
    ("chunk", "reverse", "lengths"),
    [
        (None, False, (0, 11, 4, 9)),
        pytest.param(None, True, None, marks=pytest.mark.slow),
        pytest.param(1, True, (0, 11, 4, 9), marks=pytest.mark.slow),
        (3, False, None),
        pytest.param(100, True, (0, 11, 4, 9), marks=pytest.mark.slow),
    ],
)
@pytest.mark.parametrize("name", KINDS)
def test_values_and_gradients_are_those_of_the_plain_scan(name, chunk, reverse, lengths, rng):
    cell = CELLS[name]
    params = cell.init(jax.random.key(0), D, H)
    x = jnp.asarray(rng.normal(size=(B, T, D)), jnp.float32)
    weights = jnp.asarray(rng.normal(size=(B, T, H)), jnp.float32)
    lengths = None if lengths is None else jnp.array(lengths)

    def differentiate(method, **options):
        def loss(params, x):
            result = method(cell, params, x, lengths, reverse=reverse, **options)
            return (result.outputs * weights).sum() + sum(s.sum() for s in result.state)

        return jax.jit(jax.value_and_grad(loss, argnums=(0, 1)))(params, x)

    found, expected = differentiate(checkpointed, chunk=chunk), differentiate(dynamic)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=2e-5, rtol=2e-5), found, expected)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["lstm", "gru_v3"])
def test_memory_grows_with_the_root_of_the_length(name):
    """Temporary memory of the gradient as the compiler plans it, inputs aside, in states of B x H floats."""
    cell = CELLS[name]
    params = cell.init(jax.random.key(0), 1, 16)

    def states(method, time):
        def loss(x):
            return (method(cell, params, x).state.hidden ** 2).sum()

        compiled = jax.jit(jax.grad(loss)).lower(jnp.zeros((8, time, 1))).compile()
        return compiled.memory_analysis().temp_size_in_bytes / (8 * 16 * 4)

    # 64 times the length: 8 times the chunks, and the inputs and outputs, which are there anyway.
    assert states(dynamic, 4096) > 40 * states(dynamic, 64)
    assert states(checkpointed, 4096) < 0.35 * states(dynamic, 4096)


def test_nothing_is_run_twice_without_a_gradient():
    cell = CELLS["lstm"]
    params = cell.init(jax.random.key(0), D, H)
    text = str(jax.make_jaxpr(lambda x: checkpointed(cell, params, x))(jnp.zeros((B, 16, D))))
    assert text.count("dot_general") == 2
