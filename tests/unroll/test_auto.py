"""Which unroll is chosen, and when."""

import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from rnn_jax.cells import CELLS
from rnn_jax.cells.noise import recurrent_dropout
from rnn_jax.platforms import PLATFORMS, for_device
from rnn_jax.unroll import Directions, auto, dynamic, fused, parallel, run_layer
from rnn_jax.unroll.auto import CHOICES, Fastest, fastest, table

MODULE = sys.modules["rnn_jax.unroll.auto"]
B, T, D, H = 3, 6, 4, 5


@pytest.fixture
def known(monkeypatch):
    """A table for the test alone."""
    lines = [
        Fastest("cpu", "mingru", 32, 8, 100, "dynamic", "measured"),
        Fastest("cpu", "mingru", 32, 8, 240, "checkpointed", "measured"),
        Fastest("tpu", "mingru", 32, 8, 100, "parallel", "estimated"),
        Fastest("cpu", "gru", 32, 8, 100, "fused", "measured"),
        Fastest("tpu", "gru", 32, 8, 100, "fused", "estimated"),
        Fastest("cuda", "gru_v3", H, B, T, "dynamic", "measured"),
    ]
    monkeypatch.setattr(MODULE, "table", lambda: lines)
    fastest.cache_clear()
    yield
    fastest.cache_clear()


def test_the_table_is_sound():
    assert {line.unroll for line in table()} <= CHOICES.keys()
    assert {line.platform for line in table()} <= set(PLATFORMS)
    assert {line.cell for line in table()} <= CELLS.keys()
    assert {line.known for line in table()} <= {"measured", "estimated"}
    assert all(min(line.hidden, line.batch, line.time) > 0 for line in table())
    assert len({line[:5] for line in table()}) == len(table())
    for line in table():
        if line.unroll == "parallel":
            assert CELLS[line.cell].advance_all is not None


def test_the_nearest_size_counts(known):
    cell = CELLS["mingru"]
    assert fastest("cpu", cell, 64, 16, 150) == "dynamic"
    assert fastest("cpu", cell, 64, 16, 160) == "checkpointed"
    assert fastest("tpu", cell, 64, 16, 160) == "parallel"


def test_far_from_all_sizes_it_goes_by_the_kind_of_cell(known):
    """So recorded runs of linear cells keep their digits on a CPU."""
    for size in ((32, 8, 1000), (128, 8, 100), (32, 32, 100), (32, 0, 0)):
        assert fastest("cpu", CELLS["mingru"], *size) == "dynamic"
        assert fastest("tpu", CELLS["mingru"], *size) == "parallel"
        assert fastest("cpu", CELLS["gru"], *size) == "fused"
        assert fastest("cuda", CELLS["gru"], *size) == "hoisted"


def test_a_cell_that_is_not_in_the_table_goes_by_its_kind(known):
    noisy = recurrent_dropout(CELLS["lstm"])
    assert [fastest(each, noisy, 32, 8, 100) for each in PLATFORMS] == ["fused", "hoisted", "hoisted"]
    lru = [fastest(each, CELLS["lru"], 32, 8, 100) for each in PLATFORMS]
    assert lru == ["dynamic", "parallel", "parallel"]


def text_of(platform, function, *arguments):
    return jax.jit(function).trace(*arguments).lower(lowering_platforms=(platform,)).as_text()


def test_a_program_is_chosen_for_each_platform_when_it_is_compiled(known):
    cell = CELLS["mingru"]
    params, x = cell.init(jax.random.key(0), D, H), jnp.ones((B, T, D))
    run = lambda params, x: auto(cell, params, x).outputs  # noqa: E731
    assert "stablehlo.while" in text_of("cpu", run, params, x)
    assert "stablehlo.while" not in text_of("tpu", run, params, x)
    assert "stablehlo.while" not in text_of("cuda", run, params, x)


def test_a_program_for_known_devices_is_traced_for_their_platform_alone(known):
    cell = CELLS["gru"]
    params, x = cell.init(jax.random.key(0), D, H), jnp.ones((B, T, D))

    def program(run):
        return str(jax.make_jaxpr(run)(params, x))

    def run(unroll):
        return lambda params, x: unroll(cell, params, x).outputs

    assert "platform_index" in program(run(auto))
    if jax.default_backend() == "cpu":
        assert program(for_device(jax.devices()[0], run(auto))) == program(run(fused))
    assert "platform_index" in program(run(auto))  # and no longer than that


def test_where_all_choose_one_it_is_as_if_that_was_called(known):
    cell = CELLS["gru_v3"]
    params, x = cell.init(jax.random.key(0), D, H), jnp.ones((B, T, D))

    def program(unroll):
        grad = jax.grad(lambda params, x: unroll(cell, params, x).outputs.sum())
        return str(jax.make_jaxpr(grad)(params, x))

    assert program(auto) == program(dynamic)


def test_both_directions_are_chosen_together(known, rng):
    """On a GPU they share their loops; here, they are what they are without `auto`, to the last bit."""
    cell, x = CELLS["gru"], jnp.asarray(rng.normal(size=(B, 20, D)), jnp.float32)
    params = Directions(*(cell.init(jax.random.key(seed), D, H) for seed in (0, 1)))

    def gradients(unroll):
        return jax.grad(lambda p: (run_layer(unroll, cell, p, x, jnp.array([20, 0, 3])).outputs ** 2).sum())

    if jax.default_backend() == "cpu":
        found = [jax.jit(gradients(unroll))(params) for unroll in (auto, fused)]
        jax.tree.map(np.testing.assert_array_equal, *found)
    loops = {each: text_of(each, gradients(auto), params).count("stablehlo.while") for each in PLATFORMS}
    assert loops["cpu"] == 2 * loops["cuda"] > 0


@pytest.mark.parametrize("reverse", [False, True])
def test_the_choice_of_this_platform_is_taken_to_the_last_bit(known, reverse, rng):
    """In values, states and gradients, mapped, and with lengths."""
    cell = CELLS["mingru"]
    expected = dynamic if jax.default_backend() == "cpu" else parallel
    params = cell.init(jax.random.key(0), D, H)
    x, lengths = jnp.asarray(rng.normal(size=(B, T, D)), jnp.float32), jnp.array([6, 0, 3])

    def differentiate(unroll):
        def loss(params, x):
            outputs, state = unroll(cell, params, x, lengths, reverse=reverse)
            return (outputs**2).sum() + state.hidden.sum(), (outputs, state)

        return jax.jit(jax.value_and_grad(loss, argnums=(0, 1), has_aux=True))(params, x)

    jax.tree.map(np.testing.assert_array_equal, differentiate(auto), differentiate(expected))
    stacked = jnp.stack([x, 2 * x])
    mapped = jax.vmap(lambda x: auto(cell, params, x, lengths, reverse=reverse).outputs)(stacked)
    one = auto(cell, params, 2 * x, lengths, reverse=reverse).outputs
    np.testing.assert_allclose(mapped[1], one, atol=1e-6)
