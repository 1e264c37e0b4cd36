import numpy as np
import pytest

from rnn_jax.data.examples import finish, finish_all, hold_out, pack
from rnn_jax.data.vocabulary import START, UNKNOWN


def test_sequences_come_out_as_they_went_in(rng):
    sequences = [rng.integers(0, 99, n).astype(np.int32) for n in (3, 0, 5, 1)]
    examples = pack(sequences, np.array([0, 1, 1, 0]))
    assert len(examples) == 4
    assert examples.lengths.tolist() == [3, 0, 5, 1]
    for ours, theirs in zip(examples.sequences, sequences, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    taken = examples.take(np.array([2, 0]))
    np.testing.assert_array_equal(taken.tokens, np.concatenate([sequences[2], sequences[0]]))
    assert taken.labels.tolist() == [1, 0]


def test_no_sequences():
    empty = pack([], np.zeros(0, np.int8))
    assert len(empty) == 0
    assert empty.tokens.shape == (0,)


@pytest.mark.parametrize(("cut", "expected"), [("head", [START, 14, 15, 16]), ("tail", [START, 11, 12, 13])])
def test_a_long_review_loses_the_named_side(cut, expected):
    tokens = np.arange(10, 17, dtype=np.int32)[1:]
    assert finish(tokens, 100, 4, cut).tolist() == expected


@pytest.mark.parametrize("cut", ["head", "tail"])
@pytest.mark.parametrize("length", [0, 1, 2, 3])
def test_a_short_review_is_kept_whole(cut, length):
    tokens = np.arange(10, 10 + length, dtype=np.int32)
    assert finish(tokens, 100, 4, cut).tolist() == [START, *tokens]


def test_words_beyond_the_vocabulary_become_unknown():
    assert finish(np.array([9, 10, 11]), 10, 10, "head").tolist() == [START, 9, UNKNOWN, UNKNOWN]


def test_finishing_all_is_finishing_each(rng):
    examples = pack([rng.integers(3, 50, n) for n in (0, 4, 30)], np.array([1, 0, 1]))
    finished = finish_all(examples, 20, 8, "head")
    for ours, raw in zip(finished.sequences, examples.sequences, strict=True):
        np.testing.assert_array_equal(ours, finish(raw, 20, 8, "head"))
    assert finished.labels.tolist() == [1, 0, 1]


def test_a_part_is_stratified_and_fixed():
    labels = np.array([0] * 60 + [1] * 40, np.int8)
    chosen = hold_out(labels, 0.1, seed=3)
    assert chosen.sum() == 10
    assert chosen[:60].sum() == 6
    np.testing.assert_array_equal(chosen, hold_out(labels, 0.1, seed=3))
    assert not np.array_equal(chosen, hold_out(labels, 0.1, seed=4))
    assert all(hold_out(labels, n / 100, seed=3)[:60].sum() == n * 60 // 100 for n in range(101))
    assert hold_out(labels, 0, seed=3).sum() == 0
    assert hold_out(labels, 1, seed=3).all()


@pytest.mark.parametrize("fraction", [-0.1, 1.1])
def test_a_part_is_a_fraction(fraction):
    with pytest.raises(ValueError, match="from 0 to 1"):
        hold_out(np.zeros(3, np.int8), fraction, 0)
