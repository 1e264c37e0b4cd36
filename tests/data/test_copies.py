"""Texts that repeat others, and texts that do not."""

import numpy as np
import pytest

from rnn_jax.data.copies import WORDS, copies, shingles
from rnn_jax.data.examples import pack


def examples(*sequences):
    return pack([np.asarray(s, np.int32) for s in sequences], np.zeros(len(sequences), np.int8))


@pytest.fixture
def originals(rng):
    return examples(*(rng.integers(3, 1000, length) for length in (120, 60, 5)))


def test_copies_are_found_and_others_are_not(rng, originals):
    long, middle, short = originals.sequences
    changed = long.copy()
    changed[::40] = 2
    other = rng.integers(3, 1000, 120)
    quoted = np.concatenate([other, long[:50]])  # less than half of either
    around = np.concatenate([other, middle])  # all of a shorter one
    texts = examples(long, changed, middle[:-5], short, around, other, quoted, short[:-1], [])
    assert copies(texts, originals).tolist() == [True] * 5 + [False] * 4


def test_a_shingle_lies_within_one_text(rng):
    first, second = rng.integers(3, 1000, (2, 20))
    hashes, owners = shingles(examples(first, second))
    assert np.bincount(owners).tolist() == [20 - WORDS + 1] * 2
    alone = np.concatenate([shingles(examples(each))[0] for each in (first, second)])
    np.testing.assert_array_equal(hashes, alone)


def test_order_counts(rng):
    text = rng.integers(3, 1000, 100)
    assert not copies(examples(text[::-1]), examples(text))[0]
