"""Reviews of one film stay together, and are told by their names."""

import numpy as np
import pytest

from rnn_jax.data.dataset import SPLIT_SEED, VALIDATION_FRACTION
from rnn_jax.data.examples import hold_out, pack
from rnn_jax.data.films import ALIKE, group_films
from rnn_jax.data.vocabulary import FIRST_WORD

COMMON_WORDS, NAMES, FILMS, EACH = 40, 3, 100, 5


def test_reviews_that_share_rare_names_are_one_group(rng):
    """Reviews of common words, each with the names of its film, in random order."""
    film = rng.permutation(np.repeat(np.arange(FILMS), EACH))
    reviews = [
        np.concatenate(
            [
                rng.integers(FIRST_WORD, FIRST_WORD + COMMON_WORDS, 30),
                FIRST_WORD + COMMON_WORDS + NAMES * f + np.arange(NAMES),
            ]
        )
        for f in film
    ]
    groups = group_films(pack(reviews, np.zeros(len(reviews), np.int8)))
    assert groups.max() + 1 == FILMS
    for f in range(FILMS):
        assert len(set(groups[film == f])) == 1


def test_reviews_without_rare_words_stand_alone():
    reviews = pack([np.array([3, 4, 5])] * 10 + [np.array([], int)], np.zeros(11, np.int8))
    assert sorted(group_films(reviews)) == list(range(11))


def test_groups_are_held_out_whole_and_labels_in_balance(rng):
    labels = rng.integers(0, 2, 1000).astype(np.int8)
    groups = rng.integers(0, 400, 1000)
    groups[:300] = 400  # one too large to be held out
    chosen = hold_out(labels, 0.1, 3, groups)
    assert not set(groups[chosen]) & set(groups[~chosen])
    assert not chosen[:300].any()
    for label in (0, 1):
        assert chosen[labels == label].sum() == int(0.1 * (labels == label).sum())
    np.testing.assert_array_equal(chosen, hold_out(labels, 0.1, 3, groups))
    with pytest.raises(ValueError, match="too large"):
        hold_out(labels, 0.1, 3, np.zeros(1000, int))


def test_held_out_imdb_reviews_are_unlike_those_trained_on(imdb_encoded):
    """The cosine again, by plain dictionaries, for some held-out reviews against all others."""
    train = imdb_encoded.train
    chosen = hold_out(train.labels, VALIDATION_FRACTION, SPLIT_SEED, group_films(train))
    assert chosen.sum() == 2500
    words = [set(sequence.tolist()) for sequence in train.sequences]
    counts = np.zeros(imdb_encoded.vocabulary.size, int)
    for own in words:
        counts[list(own)] += 1
    rare = [{w for w in own if w >= FIRST_WORD and 2 <= counts[w] <= 300} for own in words]
    weigh = lambda shared: sum(np.log(len(words) / counts[w]) ** 2 for w in shared)  # noqa: E731
    norms = [np.sqrt(weigh(own)) for own in rare]
    trained_on = np.flatnonzero(~chosen)
    for a in np.flatnonzero(chosen)[::250]:
        alike = max(weigh(rare[a] & rare[b]) / max(norms[a] * norms[b], 1e-9) for b in trained_on)
        assert alike < ALIKE
