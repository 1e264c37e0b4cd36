"""The networks to compare with, against loops from their papers."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from rnn_jax.models.bag import Bag
from rnn_jax.models.hashed_pairs import HashedPairs
from rnn_jax.models.text_cnn import WIDTHS, TextCNN

B, T, D, F = 4, 9, 3, 5
LENGTHS = np.array([9, 0, 2, 6])


@pytest.fixture
def x(rng):
    return rng.normal(size=(B, T, D)).astype(np.float32)


def test_the_convolutional_network_is_the_equations_of_the_paper(x):
    cnn = TextCNN(D, F, nnx.Rngs(0))
    for filters in cnn.filters:
        filters.bias[...] = jnp.linspace(-1, 1, F)
    found = cnn(jnp.asarray(x), jnp.asarray(LENGTHS))
    assert found.shape == (B, cnn.output_size) == (B, 3 * F)
    for row, length, ours in zip(x, LENGTHS, found, strict=True):
        words = np.concatenate([row[:length], np.zeros((max(WIDTHS), D))])
        expected = []
        for width, filters in zip(WIDTHS, cnn.filters, strict=True):
            kernel, bias = np.asarray(filters.kernel[...]), np.asarray(filters.bias[...])
            c = [
                np.maximum(0, np.einsum("wd,wdf->f", words[t : t + width], kernel) + bias)
                for t in range(length)
            ]
            expected.append(np.max(c, axis=0) if c else np.zeros(F))
        np.testing.assert_allclose(ours, np.concatenate(expected), atol=1e-5)


def test_a_bag_is_the_mean_and_knows_no_order(x, rng):
    bag = Bag(D)
    found = bag(jnp.asarray(x), jnp.asarray(LENGTHS))
    for row, length, ours in zip(x, LENGTHS, found, strict=True):
        np.testing.assert_allclose(ours, row[:length].mean(axis=0) if length else np.zeros(D), atol=1e-6)
    shuffled = x[:1, rng.permutation(T)]
    np.testing.assert_allclose(bag(jnp.asarray(shuffled), jnp.array([T])), found[:1], atol=1e-6)


@pytest.mark.parametrize("make", [lambda: TextCNN(D, F, nnx.Rngs(0)), lambda: Bag(D)], ids=["cnn", "bag"])
def test_padding_changes_neither_values_nor_gradients(make, x):
    model = make()

    def value_and_gradient(x):
        return jax.value_and_grad(lambda x: (model(x, jnp.asarray(LENGTHS)) ** 2).sum())(x)

    value, gradient = value_and_gradient(jnp.asarray(x))
    other = np.where((np.arange(T) < LENGTHS[:, None])[..., None], x, 99)
    longer = np.pad(other, ((0, 0), (0, 3), (0, 0)), constant_values=-99)
    padded, long_gradient = value_and_gradient(jnp.asarray(longer))
    np.testing.assert_allclose(value, padded, rtol=1e-5)
    np.testing.assert_allclose(gradient, long_gradient[:, :T], atol=1e-5)
    assert (np.asarray(long_gradient)[np.arange(T + 3) >= LENGTHS[:, None]] == 0).all()


def test_pairs_share_vectors_by_their_words_in_order(rng):
    pairs = HashedPairs(1000, D, nnx.Rngs(0))
    tokens = jnp.array([[3, 4, 3, 4, 9], [4, 3, 4, 7, 7]])
    found = np.asarray(pairs(tokens))
    assert (found[:, 0] == 0).all()
    np.testing.assert_array_equal(found[0, 1], found[0, 3])  # 3 4
    np.testing.assert_array_equal(found[0, 2], found[1, 1])  # 4 3
    assert not np.allclose(found[0, 1], found[0, 2])


def test_pairs_fall_evenly_into_buckets(rng):
    """Frequent words, whose indices are small, included."""
    pairs = HashedPairs(512, 1, nnx.Rngs(0))
    pairs.vectors.embedding[...] = jnp.arange(512.0)[:, None]
    first, second = np.meshgrid(np.arange(3, 203), np.arange(3, 203))
    tokens = jnp.asarray(np.stack([first.ravel(), second.ravel()], axis=1))
    counts = np.bincount(np.asarray(pairs(tokens))[:, 1, 0].astype(int), minlength=512)
    expected = 200 * 200 / 512
    assert ((counts - expected) ** 2 / expected).sum() / 511 < 1.3  # chi-square a degree of freedom
