"""Several sequences in a row: each as if it were alone, whatever the unroll, the cell and the direction."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from rnn_jax.cells import CELLS
from rnn_jax.unroll import UNROLLS, Directions, dynamic, init_layers, run_layer, run_layers, static
from tests import oracles
from tests.states import random_state
from tests.unroll.pairs import KINDS, each_kind_of_pair, each_pair

B, T, D, H = 4, 9, 3, 4
LENGTHS = np.array([9, 0, 7, 8])
# A sequence of one step, one at the first step, one in the padding, two in a row.
BEGINNINGS = [[0, 3, 4], [2], [5, 7, 8], [1, 2, 7]]
RESETS = np.array([[t in row for t in range(T)] for row in BEGINNINGS])

each_unroll = pytest.mark.parametrize("unroll", UNROLLS.values(), ids=UNROLLS)


@pytest.fixture
def x(rng):
    return jnp.asarray(rng.normal(size=(B, T, D)), jnp.float32)


def make_params(name):
    return jax.tree.map(lambda p: p + 0.1, CELLS[name].init(jax.random.key(0), D, H))


def one_by_one(cell, params, x, lengths, state, reverse):
    """Outputs and states by the plain loop over each sequence of each row, and nothing else."""
    outputs, finals = [], []
    for row, length in enumerate(lengths):
        inputs, start = (jax.tree.map(lambda a: a[row : row + 1], tree) for tree in (x, state))  # noqa: B023
        beginnings = [t for t in BEGINNINGS[row] if t < length]
        if 0 in beginnings and not reverse:
            start = cell.initial_state(params, (1,))
        pieces = []
        borders = list(itertools.pairwise([*sorted({0, *beginnings}), int(length)]))
        for begin, end in reversed(borders) if reverse else borders:
            outputs_of, last = static(cell, params, inputs[:, begin:end], None, start, reverse=reverse)
            pieces.append(outputs_of)
            start = cell.initial_state(params, (1,))
        joined = jnp.concatenate(pieces[::-1] if reverse else pieces, axis=1)
        outputs.append(jnp.pad(joined, [(0, 0), (0, T - joined.shape[1]), (0, 0)]))
        finals.append(last)
    return jnp.concatenate(outputs), jax.tree.map(lambda *s: jnp.concatenate(s), *finals)


def learn_start(cell):
    """The cell, whose sequences begin with its bias, or whatever its last parameter holds."""

    def initial_state(params, batch_shape):
        state = cell.initial_state(params, batch_shape)
        return jax.tree.map(lambda s: s + params[-1].ravel()[: s.shape[-1]].mean(), state)

    return cell._replace(initial_state=initial_state)


def weigh(tree):
    """A scalar that depends on every output and every state, each with a weight of its own."""
    return sum((a * jnp.cos(jnp.arange(a.size).reshape(a.shape))).sum() for a in jax.tree.leaves(tree))


def all_close(a, b, tolerance=2e-5):
    jax.tree.map(lambda p, q: np.testing.assert_allclose(p, q, atol=tolerance, rtol=tolerance), a, b)


def differentiate(run, params, x, state):
    return jax.value_and_grad(lambda *a: weigh(tuple(run(*a))), argnums=(0, 1, 2))(params, x, state)


@pytest.mark.parametrize("reverse", [False, True])
@each_pair
def test_values_are_the_loop_of_the_paper_over_each_sequence(name, unroll, reverse, x, rng):
    params = make_params(name)
    state = random_state(CELLS[name], params, (B,), rng)
    outputs, final = unroll(CELLS[name], params, x, LENGTHS, state, RESETS, reverse=reverse)
    expected = oracles.run(name, params, np.asarray(x), LENGTHS, tuple(state), reverse, RESETS)
    all_close((outputs, tuple(final)), expected)


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("name", KINDS)
def test_gradients_are_those_of_each_sequence_alone(name, reverse, x, rng):
    cell, params = CELLS[name], make_params(name)
    alone = lambda p, x, s: one_by_one(cell, p, x, LENGTHS, s, reverse)  # noqa: E731
    together = lambda p, x, s: dynamic(cell, p, x, LENGTHS, s, RESETS, reverse=reverse)  # noqa: E731
    arguments = params, x, random_state(CELLS[name], params, (B,), rng)
    all_close(differentiate(together, *arguments), differentiate(alone, *arguments))


@pytest.mark.parametrize("reverse", [False, pytest.param(True, marks=pytest.mark.slow)])
@each_kind_of_pair
def test_gradients_are_those_of_the_plain_scan(name, unroll, reverse, x, rng):
    """Of the state that a sequence begins with, too, where that is learnt."""
    cell, params = learn_start(CELLS[name]), make_params(name)
    arguments = params, x, random_state(CELLS[name], params, (B,), rng)

    def find(unroll):
        run = lambda p, x, s: unroll(cell, p, x, LENGTHS, s, RESETS, reverse=reverse)  # noqa: E731
        return jax.jit(lambda *a: differentiate(run, *a))(*arguments)

    all_close(find(unroll), find(dynamic), 1e-4)


@each_kind_of_pair
def test_without_resets_it_is_as_if_none_were_given(name, unroll, x):
    params = make_params(name)
    none = jnp.zeros((B, T), bool)
    all_close(unroll(CELLS[name], params, x, LENGTHS, None, none), unroll(CELLS[name], params, x, LENGTHS))


@each_kind_of_pair
def test_a_reset_at_every_step_forgets_everything(name, unroll, x):
    cell, params = CELLS[name], make_params(name)
    outputs, _ = unroll(cell, params, x, None, None, jnp.ones((B, T), bool))
    first, _ = static(cell, params, x.reshape(B * T, 1, D))
    all_close(outputs, first.reshape(B, T, H))


@each_kind_of_pair
def test_chunks_of_a_row_can_be_streamed(name, unroll, x):
    """Also where a sequence begins with a chunk: nothing of the state that is carried over is left."""
    cell, params = CELLS[name], make_params(name)
    whole = unroll(cell, params, x, LENGTHS, None, RESETS)
    state, pieces = None, []
    for start, end in ((0, 3), (3, 5), (5, T)):
        lengths = jnp.clip(LENGTHS - start, 0, end - start)
        piece = unroll(cell, params, x[:, start:end], lengths, state, RESETS[:, start:end])
        state = piece.state
        pieces.append(piece.outputs)
    all_close(whole.outputs, jnp.concatenate(pieces, axis=1), 1e-6)
    all_close(whole.state, state, 1e-6)


@each_kind_of_pair
def test_both_directions_reset_at_the_same_borders(name, unroll, x):
    cell = CELLS[name]
    (params,) = init_layers(cell, jax.random.key(0), D, H, bidirectional=True)
    outputs, state = run_layer(unroll, cell, params, x, LENGTHS, None, RESETS)
    forward = dynamic(cell, params.forward, x, LENGTHS, None, RESETS)
    backward = dynamic(cell, params.backward, x, LENGTHS, None, RESETS, reverse=True)
    all_close(outputs, jnp.concatenate([forward.outputs, backward.outputs], axis=-1))
    all_close(state, Directions(forward.state, backward.state))


def test_all_layers_of_a_stack_reset(x):
    cell = CELLS["gru"]
    params = init_layers(cell, jax.random.key(0), D, H, 3, bidirectional=True)
    outputs, _ = run_layers(dynamic, cell, params, x[:1], None, None, RESETS[:1])
    pieces = [run_layers(dynamic, cell, params, x[:1, a:b]).outputs for a, b in ((0, 3), (3, 4), (4, T))]
    all_close(outputs, jnp.concatenate(pieces, axis=1))


@each_unroll
@pytest.mark.parametrize(
    "wrong", [np.zeros((B, T), np.int32), np.zeros((T, B), bool), np.zeros(B, bool), [[0.5]]]
)
def test_anything_else_is_refused(unroll, wrong, x):
    with pytest.raises(ValueError, match=rf"resets must be booleans \[{B}, {T}\], got"):
        unroll(CELLS["gru"], make_params("gru"), x, None, None, wrong)
