import numpy as np
import pytest
from scipy.stats import chi2, ttest_ind

from rnn_jax.reporting.significance import interval, paired_p_value


def test_the_interval_by_hand():
    """Student's t for 4 degrees of freedom is 2.776."""
    values = [88.0, 88.5, 88.2, 88.9, 88.4]
    spread = 2.776 * np.std(values, ddof=1) / np.sqrt(5)
    np.testing.assert_allclose(interval(values), (88.4 - spread, 88.4 + spread), atol=1e-3)


def test_one_value_has_no_interval():
    with pytest.raises(ValueError, match="two values or more"):
        interval([88.0])


def test_of_single_runs_it_is_mcnemar_s_test(rng):
    first, second = rng.random((2, 1, 20_000)) < np.array([0.9, 0.894])[:, None, None]
    b, c = (first & ~second).sum(), (second & ~first).sum()
    expected = chi2.sf((b - c) ** 2 / (b + c), 1)
    assert paired_p_value(first, second) == pytest.approx(expected, rel=0.05)
    assert paired_p_value(second, first) == paired_p_value(first, second)


def test_it_pairs_reviews(rng):
    """Networks that stumble over the same reviews are told apart by a few others."""
    hard = rng.random(20_000) < 0.1
    first, second = ~hard[None], ~(hard | (rng.random(20_000) < 0.002))[None]
    shuffled = rng.permutation(second[0])[None]
    assert paired_p_value(first, second) < 1e-6 < 0.1 < paired_p_value(first, shuffled)


def test_the_spread_over_seeds_counts(rng):
    """Seeds that differ as much as the networks do leave the difference open."""
    steady = rng.random((2, 5, 20_000)) < np.array([0.90, 0.88])[:, None, None]
    rates = np.array([[0.90, 0.94, 0.86, 0.95, 0.85], [0.88, 0.92, 0.84, 0.91, 0.85]])[..., None]
    swinging = rng.random((2, 5, 20_000)) < rates
    assert paired_p_value(*steady) < 1e-6 < 0.3 < paired_p_value(*swinging)


def test_the_same_answers_do_not_differ(rng):
    answers = rng.random((3, 100)) < 0.9
    assert paired_p_value(answers, answers) == pytest.approx(1.0)


def test_it_is_as_often_below_5_percent_as_it_says(rng):
    """Of networks that are alike."""
    found = [paired_p_value(*(rng.random((2, 3, 2000)) < 0.9)) for _ in range(300)]
    assert np.mean(np.array(found) < 0.05) < 0.09


def test_few_seeds_that_differ_are_few(rng):
    """Where seeds make nearly all the difference it is Welch's test of their accuracies, by SciPy."""
    rates = np.array([[0.95, 0.80, 0.90], [0.70, 0.90, 0.60]])[..., None]
    first, second = rng.random((2, 3, 200_000)) < rates
    expected = ttest_ind(first.mean(axis=1), second.mean(axis=1), equal_var=False).pvalue
    assert paired_p_value(first, second) == pytest.approx(expected, rel=0.01)
