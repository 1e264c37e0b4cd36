"""Classifiers of two labels and of more: losses, figures and answers against scikit-learn and NumPy."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from rnn_jax.data.examples import NO_LABEL
from rnn_jax.errors import UserError
from rnn_jax.models.explanation import log_odds_of
from rnn_jax.settings import with_flat
from rnn_jax.tasks import labelled_texts
from rnn_jax.tasks.labels import answers_of, count, count_f1, probabilities_of
from rnn_jax.tasks.text_classifier import make_classifier
from rnn_jax.training.task import Mean

N, K = 40, 5


@pytest.fixture
def drawn(rng):
    logits = 3 * rng.normal(size=(N, K)).astype(np.float32)
    labels = rng.integers(0, K - 1, N)  # the last occurs only among the answers
    weights = (rng.random(N) < 0.8).astype(np.float32)
    return logits, labels, weights


def test_the_loss_is_the_negative_log_of_the_label_s_probability(drawn):
    logits, labels, weights = drawn
    odds = np.exp(logits.astype(np.float64))
    probabilities = odds / odds.sum(axis=1, keepdims=True)
    own = -np.log(probabilities[np.arange(N), labels])
    sums = count(*drawn)
    np.testing.assert_allclose(sums["loss"].value, (own * weights).sum() / weights.sum(), rtol=1e-5)
    right = probabilities.argmax(axis=1) == labels
    np.testing.assert_allclose(sums["accuracy"].value, (right * weights).sum() / weights.sum(), rtol=1e-6)
    np.testing.assert_allclose(probabilities_of(logits), probabilities, atol=1e-6)
    np.testing.assert_array_equal(answers_of(logits), probabilities.argmax(axis=1))


def test_macro_f1_is_scikit_learn_s(drawn):
    metrics = pytest.importorskip("sklearn.metrics", reason="pip install scikit-learn")
    logits, labels, weights = drawn
    found = count_f1(*drawn)["macro_f1"].value
    expected = metrics.f1_score(labels, logits.argmax(axis=1), average="macro", sample_weight=weights)
    assert found == pytest.approx(expected, abs=1e-6)


def test_f1_adds_up_over_parts_of_a_batch(drawn):
    whole = count_f1(*drawn)["macro_f1"]
    halves = [count_f1(*(each[part] for each in drawn))["macro_f1"] for part in (slice(0, 9), slice(9, N))]
    summed = jax.tree.map(jnp.add, *halves)
    np.testing.assert_allclose(summed.total, whole.total, rtol=1e-6)
    np.testing.assert_allclose(summed.number, whole.number, rtol=1e-6)


def test_a_label_that_nothing_has_and_nothing_is_given_counts_for_nothing():
    assert Mean(np.array([1.0, 0.0, 2.0]), np.array([2.0, 0.0, 2.0])).value == 0.75
    assert Mean(np.zeros(3), np.zeros(3)).value == 0


def test_what_has_no_label_does_not_count(drawn):
    logits, labels, weights = drawn
    labels = np.where(np.arange(N) < 10, NO_LABEL, labels)
    rest = count(logits[10:], labels[10:], weights[10:])
    jax.tree.map(np.testing.assert_allclose, count(logits, labels, weights), rest)


def test_softmax_of_two_logits_is_the_sigmoid_of_their_difference(rng):
    logits = rng.normal(size=(N, 2)).astype(np.float32)
    labels, weights = rng.integers(0, 2, N), np.ones(N, np.float32)
    two, one = count(logits, labels, weights), count(logits[:, 1] - logits[:, 0], labels, weights)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-5), two, one)
    np.testing.assert_allclose(
        probabilities_of(logits), probabilities_of(logits[:, 1] - logits[:, 0]), atol=1e-6
    )


def test_log_odds_of_a_label_are_those_of_its_probability(drawn):
    logits, *_ = drawn
    p = np.asarray(probabilities_of(logits))[:, 2]
    np.testing.assert_allclose(log_odds_of(logits, 2), np.log(p / (1 - p)), atol=1e-4)


@pytest.mark.parametrize("change", [{"log_count_ratios": 2}, {"virtual_adversarial": 1.0}], ids=str)
def test_what_is_for_two_labels_is_refused_for_three(change):
    settings = with_flat(labelled_texts.Settings(), train="x", **change)
    with pytest.raises(UserError, match="is for two labels, and there are 3"):
        make_classifier("labelled_texts", settings, 3)
    assert make_classifier("labelled_texts", settings, 2).figures.names == ("loss", "accuracy")
