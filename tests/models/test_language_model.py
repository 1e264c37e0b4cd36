"""The language model against its parts by hand, and the draw of a token against its definition."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from rnn_jax.errors import UserError
from rnn_jax.models import EmbeddingSettings, RecurrentSettings
from rnn_jax.models.dropout import make_keys
from rnn_jax.models.language_model import LanguageModel
from rnn_jax.models.sampling import SamplingSettings, distribution
from rnn_jax.settings import check
from tests import oracles

V, E, H, T = 11, 4, 6, 5
LENGTHS = np.array([5, 2, 0], np.int32)


def make(tied=False, size=E, **changes):
    recurrent = RecurrentSettings(
        **{"cell": "gru", "hidden_size": H, "num_layers": 2, "dropout": 0.0} | changes
    )
    quiet = EmbeddingSettings(embedding_size=size, word_dropout=0.0, embedding_dropout=0.0)
    return LanguageModel(quiet, recurrent, vocabulary_size=V, tied=tied, rngs=nnx.Rngs(0))


@pytest.fixture
def tokens(rng):
    return rng.integers(1, V, (3, T)).astype(np.int32)


@pytest.mark.parametrize(("tied", "size"), [(False, E), (True, E), (True, H)])
def test_logits_are_the_layers_by_hand(tied, size, tokens):
    """A NumPy loop over two layers, and the products of the output layer."""
    model = make(tied, size)
    logits, state = jax.jit(lambda m, t: m(t, LENGTHS, m.initial_state(3)))(model, tokens)
    x = np.asarray(model.embedding.embedding[...])[tokens]
    for params, final in zip(model.recurrent.params(), state, strict=True):
        zero = tuple(np.zeros((3, H), np.float32) for _ in final)
        x, expected = oracles.run("gru", params, x, LENGTHS, zero, False)
        np.testing.assert_allclose(final[0], expected[0], atol=1e-5)
    if tied:
        projected = x if size == H else x @ model.projection.kernel[...] + model.projection.bias[...]
        expected = projected @ np.asarray(model.embedding.embedding[...]).T + model.bias[...]
    else:
        expected = x @ model.head.kernel[...] + model.head.bias[...]
    for row, length in enumerate(LENGTHS):
        np.testing.assert_allclose(logits[row, :length], expected[row, :length], atol=1e-5)


@pytest.mark.parametrize("tied", [False, True])
def test_at_first_tokens_are_as_frequent_as_by_zipfs_law(tied):
    """Whatever has been read adds nothing on average: the vectors of an untrained model are random."""
    model = make(tied)
    rank = 1 + np.arange(V)
    expected = np.log(1 + 1 / rank) / np.log(1 + V)
    assert expected.sum() == pytest.approx(1)
    np.testing.assert_allclose(np.exp((model if tied else model.head).bias[...]), expected, rtol=1e-5)


def test_the_state_goes_on(tokens):
    model = make(cell="lstm")
    run = jax.jit(lambda m, t, state: m(t, np.full(3, t.shape[1]), state))
    whole, last = run(model, tokens, model.initial_state(3))
    first, state = run(model, tokens[:, :3], model.initial_state(3))
    second, end = run(model, tokens[:, 3:], state)
    np.testing.assert_allclose(np.concatenate([first, second], axis=1), whole, atol=1e-6)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=1e-6), end, last)


def test_noise_acts_in_training_alone(tokens):
    model = make(dropout=0.5)
    keys = make_keys(jax.random.key(0), jnp.arange(3))
    run = jax.jit(lambda m, keys: m.losses(tokens, tokens, LENGTHS, keys=keys).values)
    np.testing.assert_array_equal(run(model, None), run(make(), None))
    assert not np.allclose(run(model, keys), run(model, None))


def test_a_draw_is_the_softmax_cut_off(rng):
    logits = rng.normal(size=20)
    whole = np.exp(logits) / np.exp(logits).sum()
    np.testing.assert_allclose(distribution(logits), whole)
    np.testing.assert_allclose(
        distribution(logits, SamplingSettings(temperature=0.5)), whole**2 / (whole**2).sum(), rtol=1e-10
    )
    order = np.argsort(-whole)
    top = distribution(logits, SamplingSettings(top_k=3))
    assert set(np.flatnonzero(top)) == set(order[:3])
    np.testing.assert_allclose(top[order[:3]], whole[order[:3]] / whole[order[:3]].sum())
    nucleus = distribution(logits, SamplingSettings(top_p=0.6))
    size = int(np.searchsorted(np.cumsum(whole[order]), 0.6)) + 1  # the fewest that make up 60 %
    assert set(np.flatnonzero(nucleus)) == set(order[:size])
    assert np.flatnonzero(distribution(logits, SamplingSettings(top_p=1e-9))).tolist() == [order[0]]
    logits[3] = -np.inf
    assert distribution(logits)[3] == 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"temperature": 0.0}, "--temperature 0.0: must be above 0"),
        ({"temperature": float("nan")}, "--temperature nan"),
        ({"top_k": -1}, "--top-k -1"),
        ({"top_p": 0.0}, "--top-p 0.0"),
        ({"top_p": 1.5}, "--top-p 1.5"),
    ],
)
def test_a_draw_that_makes_no_sense_is_refused(options, message):
    with pytest.raises(UserError, match=message):
        check(SamplingSettings(**options))


def test_both_directions_are_two_language_models(tokens):
    """What reads backward loses what a model that reads the reversed texts forward with its weights would."""
    both = make(tied=True, num_layers=1, bidirectional=True)
    targets = np.roll(tokens, -1, axis=1)
    losses = jax.jit(lambda m, t, u: m.losses(t, u, LENGTHS))
    found = losses(both, tokens, targets)
    assert found.values.shape == found.counted.shape == (2, 3, T)
    steps = np.arange(T) < LENGTHS[:, None]
    np.testing.assert_array_equal(found.counted[0], steps)
    np.testing.assert_array_equal(found.counted[1], steps & (np.arange(T) > 0))

    for direction in range(2):
        one = make(tied=True, num_layers=1)
        one.embedding, one.bias = both.embedding, both.bias
        one.projection = both.projections[direction]
        layer = both.recurrent.layers[0][direction]
        one.recurrent.layers = nnx.data((layer,))
        for row, length in enumerate(LENGTHS):
            text = tokens[row, :length] if direction == 0 else tokens[row, :length][::-1]
            after = targets[row, :length] if direction == 0 else np.append(text[1:], 0)
            mine = np.asarray(found.values[direction, row, :length])
            if length:
                theirs = one.losses(text[None], after[None], np.array([length])).values[0, 0]
                expected = theirs if direction == 0 else theirs[::-1]
                counted = np.asarray(found.counted[direction, row, :length])
                np.testing.assert_allclose(mine[counted], np.asarray(expected)[counted], atol=1e-5)


def test_a_sampled_softmax_draws_the_same_tokens_for_all_devices(tokens):
    """The sample belongs to the step, not to the rows that a device has."""
    model = make(tied=True)
    keys = make_keys(jax.random.key(0), jnp.arange(3))
    run = jax.jit(lambda m, t, k: m.losses(t, t, np.full(len(t), T), keys=k, samples=4).values[0])
    whole = run(model, tokens, keys)
    part = run(model, tokens[1:], make_keys(jax.random.key(0), jnp.arange(1, 3)))
    np.testing.assert_allclose(part, whole[1:], atol=1e-6)
    other = run(model, tokens, make_keys(jax.random.key(1), jnp.arange(3)))
    assert not np.allclose(other, whole)
