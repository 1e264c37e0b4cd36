"""Operations and bytes counted from shapes, against formulas and XLA's own count."""

import jax
import jax.numpy as jnp
import pytest
from flax import nnx

from rnn_jax.ahead.operations import Work, count
from rnn_jax.cells import CELLS
from rnn_jax.unroll import UNROLLS

B, T, D, H = 3, 16, 5, 7


def work_of(function, *arguments):
    return count(jax.make_jaxpr(function)(*arguments).jaxpr)


def test_a_product_of_batches():
    a, b = jnp.ones((2, 3, 4)), jnp.ones((2, 4, 5))
    assert work_of(jnp.matmul, a, b) == Work(2 * 2 * 3 * 4 * 5, 4 * (24 + 40 + 30))


def test_a_convolution():
    layer = nnx.Conv(4, 6, kernel_size=(3,), padding="VALID", rngs=nnx.Rngs(0))
    assert work_of(layer, jnp.ones((2, 10, 4))).operations == 2 * 2 * 8 * 6 * 3 * 4


@pytest.mark.parametrize("unroll", ["dynamic", "static", "fused", "checkpointed"])
@pytest.mark.parametrize(("cell", "gates"), [("elman", 1), ("lstm", 4), ("gru", 3)])
def test_the_products_of_a_layer(cell, gates, unroll):
    """Forward, each step multiplies the input and the state by the weights of all gates."""
    params = CELLS[cell].init(jax.random.key(0), D, H)
    found = work_of(lambda x: UNROLLS[unroll](CELLS[cell], params, x).outputs, jnp.ones((B, T, D)))
    assert found.operations == 2 * B * T * (D + H) * gates * H


def test_of_a_choice_the_larger_part_counts():
    a = jnp.ones((4, 4))
    found = work_of(lambda p: jax.lax.cond(p, lambda: a @ a @ a, lambda: a), True)
    assert found.operations == 2 * 2 * 4**3


@pytest.mark.parametrize(("platform", "products"), [("cpu", 1), ("tpu", 2), ("cuda", 3)])
def test_of_a_choice_by_platform_its_own_branch_counts(platform, products):
    a = jnp.ones((4, 4))
    ways = {"cuda": lambda a: a @ a @ a @ a, "tpu": lambda a: a @ a @ a, "default": lambda a: a @ a}
    jaxpr = jax.make_jaxpr(lambda a: jax.lax.platform_dependent(a, **ways))(a).jaxpr
    assert count(jaxpr, platform).operations == products * 2 * 4**3


def test_it_is_what_the_compiler_counts():
    """Of a program without a loop, of which XLA counts the body once."""
    params = CELLS["gru"].init(jax.random.key(0), 32, 64)

    def loss(params, x):
        return UNROLLS["static"](CELLS["gru"], params, x).outputs.sum()

    compiled = jax.jit(jax.grad(loss)).trace(params, jnp.ones((16, 4, 32)))
    found = count(compiled.jaxpr.jaxpr).operations
    assert found == pytest.approx(compiled.lower().compile().cost_analysis()["flops"], rel=0.2)
