"""Against loops written from the paper's equations, over dictionaries of n-grams."""

import math
from collections import Counter

import numpy as np
import pytest

from rnn_jax.data.examples import pack
from rnn_jax.data.log_count_ratios import FOLDS, PATTERNS, SMOOTHINGS, LogCountRatios, count_ratios

N = 60
NONE = [0.0] * len(SMOOTHINGS)


@pytest.fixture
def reviews(rng):
    sequences = [rng.integers(1, 9, rng.integers(1, 12)).astype(np.int32) for _ in range(N)]
    return pack(sequences, rng.integers(0, 2, N).astype(np.int8))


def ngrams_of(sequence, n):
    """Of the n-th pattern, in the order of their ends."""
    *_, span = pattern = PATTERNS[n]
    return [tuple(sequence[i + place] for place in pattern) for i in range(len(sequence) - span)]


def ratios_by_hand(examples, n, vocabulary):
    """{n-gram: r of each α}, of those in `vocabulary`: equation 2, with p and q the presence in reviews."""
    found = {gram: [] for gram in vocabulary}
    for smoothing in SMOOTHINGS:
        counts = {gram: [smoothing, smoothing] for gram in vocabulary}
        for sequence, label in zip(examples.sequences, examples.labels, strict=True):
            for gram in set(ngrams_of(sequence, n)) & counts.keys():
                counts[gram][label] += 1
        q, p = (sum(count[label] for count in counts.values()) for label in (0, 1))
        for gram, count in counts.items():
            found[gram].append(math.log((count[1] / p) / (count[0] / q)))
    return found


def common(examples, n):
    """The n-grams that two reviews hold."""
    counts = Counter(gram for sequence in examples.sequences for gram in set(ngrams_of(sequence, n)))
    return {gram for gram, count in counts.items() if count >= 2}


@pytest.mark.parametrize("n", range(len(PATTERNS)))
def test_ratios_are_the_equations_of_the_paper(reviews, n, rng):
    ratios, _ = count_ratios(reviews, np.arange(N), len(PATTERNS), seed=0)
    expected = ratios_by_hand(reviews, n, common(reviews, n))
    others = pack([rng.integers(1, 12, 9).astype(np.int32) for _ in range(20)], np.zeros(20, np.int8))
    found = [r.reshape(len(r), len(PATTERNS), -1)[:, n] for r in ratios.add_to(others).ratio_sequences]
    unseen = 0
    for sequence, ours in zip(others.sequences, found, strict=True):
        span = PATTERNS[n][-1]
        assert (ours[:span] == 0).all()  # no n-gram ends here, and none comes from another review
        for values, gram in zip(ours[span:], ngrams_of(sequence, n), strict=True):
            unseen += gram not in expected
            np.testing.assert_allclose(values, expected.get(gram, NONE), rtol=1e-5, atol=1e-6)
    assert 0 < unseen < 20 * 9


def test_a_training_review_is_given_ratios_that_do_not_know_its_label(reviews, rng):
    """They are those of the other folds; groups stay in one fold."""
    groups = rng.integers(0, 25, N)
    folds = np.random.default_rng(4).integers(0, FOLDS, groups.max() + 1)[groups]
    _, given = count_ratios(reviews, groups, 2, seed=4)
    starts = np.cumsum([0, *reviews.lengths])
    for n in (0, 1):
        vocabulary = common(reviews, n)
        for i in range(0, N, 7):
            others = reviews.take(np.flatnonzero(folds != folds[i]))
            expected = ratios_by_hand(others, n, vocabulary)
            ours = given.reshape(len(given), 2, -1)[starts[i] : starts[i + 1], n][n:]
            by_hand = [expected.get(gram, NONE) for gram in ngrams_of(reviews.sequences[i], n)]
            np.testing.assert_allclose(ours, np.reshape(by_hand, ours.shape), rtol=1e-5, atol=1e-6)


def test_what_is_written_is_read(reviews, tmp_path):
    ratios, _ = count_ratios(reviews, np.arange(N), 3, seed=0)
    ratios.write(tmp_path / "ratios.npz")
    again = LogCountRatios.read(tmp_path / "ratios.npz")
    for mine, theirs in zip(ratios, again, strict=True):
        assert [a.tolist() for a in mine] == [a.tolist() for a in theirs]
    assert [path.name for path in tmp_path.iterdir()] == ["ratios.npz"]


def test_there_are_so_many_patterns_and_no_more(reviews):
    for count in (0, 6):
        with pytest.raises(ValueError, match=f"there are 5 patterns of n-grams, not {count}"):
            count_ratios(reviews, np.arange(N), count, seed=0)
