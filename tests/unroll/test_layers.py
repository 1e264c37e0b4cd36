"""Directions and stacks, against the same layers run by hand."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from rnn_jax.cells import CELLS
from rnn_jax.unroll import Directions, dynamic, init_layers, run_layer, run_layers
from tests.unroll.pairs import each_kind_of_pair

B, T, D, H = 4, 6, 3, 5
LENGTHS = jnp.array([0, 6, 2, 5])


@pytest.fixture
def x(rng):
    return jnp.asarray(rng.normal(size=(B, T, D)), jnp.float32)


def all_close(a, b):
    jax.tree.map(lambda p, q: np.testing.assert_allclose(p, q, atol=5e-6), a, b)


@each_kind_of_pair
def test_backward_half_is_the_forward_half_of_reversed_sequences(name, unroll, x):
    cell = CELLS[name]
    (params,) = init_layers(cell, jax.random.key(0), D, H, bidirectional=True)
    result = run_layer(unroll, cell, params, x, LENGTHS)
    forward, backward = np.split(np.asarray(result.outputs), 2, axis=-1)
    all_close(forward, dynamic(cell, params.forward, x, LENGTHS).outputs)
    reversed_x = np.array(x)
    for b, length in enumerate(LENGTHS):
        reversed_x[b, :length] = x[b, :length][::-1]
    expected = dynamic(cell, params.backward, reversed_x, LENGTHS)
    for b, length in enumerate(LENGTHS):
        all_close(backward[b, :length], expected.outputs[b, :length][::-1])
        assert not backward[b, length:].any()
    all_close(result.state.backward, expected.state)


@pytest.mark.parametrize("bidirectional", [False, True])
def test_a_stack_feeds_each_layer_with_the_one_below(bidirectional, x):
    cell = CELLS["lstm"]
    params = init_layers(cell, jax.random.key(1), D, H, num_layers=3, bidirectional=bidirectional)
    result = run_layers(dynamic, cell, params, x, LENGTHS)
    below = x
    for layer, state in zip(params, result.state, strict=True):
        by_hand = run_layer(dynamic, cell, layer, below, LENGTHS)
        all_close(state, by_hand.state)
        below = by_hand.outputs
    all_close(result.outputs, below)
    assert result.outputs.shape == (B, T, H * (2 if bidirectional else 1))


def test_a_stack_can_be_streamed(x):
    cell = CELLS["gru"]
    params = init_layers(cell, jax.random.key(1), D, H, num_layers=2)
    whole = run_layers(dynamic, cell, params, x)
    first = run_layers(dynamic, cell, params, x[:, :2])
    second = run_layers(dynamic, cell, params, x[:, 2:], initial_state=first.state)
    all_close(whole.outputs, jnp.concatenate([first.outputs, second.outputs], axis=1))
    all_close(whole.state, second.state)


def test_between_sees_every_layer_but_the_last(x):
    cell = CELLS["elman"]
    params = init_layers(cell, jax.random.key(1), D, H, num_layers=3)
    seen = []

    def double(layer, outputs):
        seen.append(layer)
        return outputs * 2

    result = run_layers(dynamic, cell, params, x, between=double)
    assert seen == [0, 1]
    below = x
    for i, layer in enumerate(params):
        below = dynamic(cell, layer, below * (1 if i == 0 else 2)).outputs
    all_close(result.outputs, below)


def test_both_directions_start_from_their_own_states(x, rng):
    cell = CELLS["elman"]
    (params,) = init_layers(cell, jax.random.key(0), D, H, bidirectional=True)
    start = jax.tree.map(
        lambda s: jnp.asarray(rng.normal(size=s.shape), jnp.float32),
        Directions(cell.initial_state(params.forward, (B,)), cell.initial_state(params.backward, (B,))),
    )
    result = run_layer(dynamic, cell, params, x, LENGTHS, start)
    all_close(jax.tree.map(lambda s: s[0], result.state), jax.tree.map(lambda s: s[0], start))  # length 0
    all_close(
        result.state.backward, dynamic(cell, params.backward, x, LENGTHS, start.backward, reverse=True).state
    )


def test_layers_of_the_same_key_differ_from_each_other():
    first, second = init_layers(CELLS["gru"], jax.random.key(0), H, H, num_layers=2)
    assert not np.array_equal(first.input_kernel, second.input_kernel)


def test_no_layers_are_refused():
    with pytest.raises(ValueError, match="at least 1 layer, got num_layers=0"):
        init_layers(CELLS["gru"], jax.random.key(0), D, H, num_layers=0)
