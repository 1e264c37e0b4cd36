from itertools import combinations

import numpy as np
import pytest

from rnn_jax.data.buckets import GRAIN, assign, choose_boundaries


def padded_steps(lengths, boundaries):
    return np.array(boundaries)[assign(lengths, boundaries)].sum()


@pytest.mark.parametrize(("count", "grain"), [(1, GRAIN), (2, GRAIN), (3, 20), (4, GRAIN)])
def test_no_other_boundaries_pad_less(count, grain, rng):
    """Against all choices there are."""
    for _ in range(5):
        lengths = np.clip(rng.lognormal(3.5, 0.7, 200).astype(int), 1, 130)
        edges = range(grain, 130, grain)
        best = min(
            padded_steps(lengths, (*inner, 130))
            for size in range(count)
            for inner in combinations(edges, size)
        )
        chosen = choose_boundaries(lengths, 130, count, grain)
        assert padded_steps(lengths, chosen) == best
        assert len(chosen) <= count
        assert chosen[-1] == 130
        assert list(chosen) == sorted(set(chosen))


def test_every_length_fits_into_its_bucket_and_not_into_the_one_before():
    boundaries = (16, 48, 100)
    lengths = np.arange(1, 101)
    buckets = assign(lengths, boundaries)
    assert (lengths <= np.array(boundaries)[buckets]).all()
    assert (lengths > np.array([0, *boundaries])[buckets]).all()


def test_a_short_maximum_is_one_bucket():
    assert choose_boundaries(np.array([1, 2, 3]), 5, 4) == (5,)
    assert choose_boundaries(np.array([], int), 40, 2)[-1] == 40


@pytest.mark.parametrize(("lengths", "maximum", "count"), [([1], 0, 1), ([1], 5, 0), ([6], 5, 1)])
def test_what_makes_no_sense_is_refused(lengths, maximum, count):
    with pytest.raises(ValueError, match=r"at least 1|does not fit"):
        choose_boundaries(np.array(lengths), maximum, count)


def test_six_buckets_leave_little_padding_on_real_reviews(imdb_encoded):
    lengths = np.minimum(imdb_encoded.train.lengths + 1, 400)
    assert padded_steps(lengths, choose_boundaries(lengths, 400, 6)) < 1.12 * lengths.sum()
