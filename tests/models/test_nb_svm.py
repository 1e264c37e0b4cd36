"""Features against loops over dictionaries, and a machine that must find what it is given."""

import math
from collections import Counter

import numpy as np
import pytest

from rnn_jax.data.examples import pack
from rnn_jax.models.nb_svm import count_ngrams, fit

pytest.importorskip("sklearn", reason="scikit-learn is in the extra 'baselines'")


@pytest.fixture
def reviews(rng):
    sequences = [rng.integers(1, 7, rng.integers(1, 10)).astype(np.int32) for _ in range(40)]
    return pack(sequences, rng.integers(0, 2, 40).astype(np.int8))


def ngrams_of(sequence, n):
    return {tuple(sequence[i : i + n]) for i in range(len(sequence) - n + 1)}


def test_features_are_the_equations_of_the_paper(reviews, rng):
    ngrams = count_ngrams(reviews, 3)
    others = pack([rng.integers(1, 9, 8).astype(np.int32) for _ in range(10)], np.zeros(10, np.int8))
    found = ngrams.features(others).toarray()
    assert found.shape == (10, sum(map(len, ngrams.known)))
    start = 0
    for n, known in enumerate(ngrams.known, start=1):
        counts = [Counter(), Counter()]
        for sequence, label in zip(reviews.sequences, reviews.labels, strict=True):
            counts[label].update(ngrams_of(sequence, n))
        words = sorted(counts[0] | counts[1])
        assert len(words) == len(known)
        p, q = ({w: counts[label][w] + 1 for w in words} for label in (1, 0))
        r = {w: math.log(p[w] / sum(p.values()) / (q[w] / sum(q.values()))) for w in words}
        expected = [[r[w] * (w in ngrams_of(sequence, n)) for w in words] for sequence in others.sequences]
        np.testing.assert_allclose(found[:, start : start + len(words)], expected, atol=1e-6)
        start += len(words)


def test_the_machine_minimises_its_loss(reviews):
    """No random step from its weights makes the loss smaller."""
    features = count_ngrams(reviews, 2).features(reviews)
    machine = fit(features, reviews.labels, 0.1)
    signs = 2.0 * reviews.labels - 1

    def loss(weights, bias):  # LinearSVC counts the bias as a weight
        margins = np.maximum(0, 1 - signs * (features @ weights + bias))
        return 0.5 * (weights @ weights + bias**2) + 0.1 * (margins**2).sum()

    least = loss(*machine)
    rng = np.random.default_rng(0)
    for _ in range(100):
        assert loss(machine.weights + 0.05 * rng.normal(size=len(machine.weights)), machine.bias) > least
    right = [
        (x @ machine.weights + machine.bias > 0) == y for x, y in zip(features, reviews.labels, strict=True)
    ]
    assert machine.correct(features, reviews.labels).tolist() == np.ravel(right).tolist()
