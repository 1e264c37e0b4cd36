"""Words in another order: the same words, in whole blocks."""

import numpy as np
import pytest

from rnn_jax.data.examples import pack
from rnn_jax.data.vocabulary import START
from rnn_jax.data.word_order import shuffle_blocks

LABELS = np.array([1, 0, 1, 0, 1], np.int8)


@pytest.fixture
def examples(rng):
    """Words that are all different, so that each can be told where it went; one review without any."""
    return pack([np.array([START, *rng.permutation(np.arange(3, 3 + n))]) for n in (40, 7, 3, 1, 0)], LABELS)


@pytest.mark.parametrize("size", [1, 3, 7])
def test_blocks_stay_whole_and_are_all_there(examples, size):
    shuffled = shuffle_blocks(examples, size, seed=0)
    np.testing.assert_array_equal(shuffled.labels, LABELS)
    for before, after in zip(examples.sequences, shuffled.sequences, strict=True):
        assert after[0] == START
        blocks = {tuple(before[1:][i : i + size]) for i in range(0, len(before) - 1, size)}
        found, words = set(), list(after[1:])
        while words:
            (block,) = (block for block in blocks if block[0] == words[0])
            assert tuple(words[: len(block)]) == block
            found.add(block)
            words = words[len(block) :]
        assert found == blocks


def test_long_reviews_do_change_and_the_seed_decides_how(examples):
    one, same, other = (shuffle_blocks(examples, 2, seed).tokens for seed in (0, 0, 1))
    np.testing.assert_array_equal(one, same)
    assert (one != other).any()
    assert (one != examples.tokens).any()


def test_blocks_longer_than_a_review_change_nothing(examples):
    np.testing.assert_array_equal(shuffle_blocks(examples, 40, seed=0).tokens, examples.tokens)


def test_a_block_has_a_word(examples):
    with pytest.raises(ValueError, match="at least 1 word, got 0"):
        shuffle_blocks(examples, 0, seed=0)
