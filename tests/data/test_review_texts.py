"""The reviews as texts: which are read, which are left out, and that the test's are not among them."""

import os

import numpy as np
import pytest

from rnn_jax.data import encoded_reviews, imdb, review_texts
from rnn_jax.data.reviews import Reviews
from rnn_jax.data.tokenizers import END, UNKNOWN
from rnn_jax.errors import UserError

real = pytest.mark.skipif(
    not os.environ.get("TFDS_DATA_DIR") or not imdb.is_prepared(),
    reason="needs the IMDb reviews, prepared by TFDS in $TFDS_DATA_DIR",
)


@pytest.fixture
def reviews(rng, monkeypatch, tmp_path):
    """Small splits; two unlabelled reviews repeat one of the training and one of the test split."""
    words = [f"w{i}" for i in range(400)]

    def text(mark):
        return f"{mark}<br />" + " ".join(rng.choice(words, 30)) + "."

    train, test = ([text(f"{name}{i}") for i in range(40)] for name in ("train", "test"))
    unlabelled = [text(f"more{i}") for i in range(20)] + [train[0].upper(), test[0] + " indeed"]
    unlabelled += [f"{each} again" for each in unlabelled[:20]]
    splits = {"train": train, "test": test, "unsupervised": unlabelled}
    labels = np.arange(40) % 2
    monkeypatch.setattr(
        imdb, "load", lambda split, data_dir=None: Reviews(splits[split], labels[: len(splits[split])])
    )
    monkeypatch.setattr(encoded_reviews, "films_of", lambda reviews, dataset: np.arange(len(reviews)))
    monkeypatch.setattr(review_texts, "films_of", lambda reviews, dataset: np.arange(len(reviews)))
    monkeypatch.setattr(review_texts, "TEST", 5)
    return tmp_path


def test_copies_are_marked_and_left_out(reviews):
    found = review_texts.load("bare", None, str(reviews))
    counts = found.counts()
    assert counts["test"] == 1
    assert counts["train"] + counts["validation"] == 1
    # Each unlabelled review is there twice: of those that are tested, the other is left out, or tested, too.
    assert 3 <= counts["tested"] <= 5
    sizes = {part: len(found.places(part)) for part in review_texts.PARTS}
    assert sizes == {"train": 36, "validation": 4, "unlabelled": 35 - counts["tested"], "test": 5}
    assert len(found.places("unlabelled", with_copies=True)) == 37
    parts = [set(found.places(part)) for part in review_texts.PARTS]
    assert len(set.union(*parts)) == 80 - counts["tested"]


def test_no_word_of_the_test_split_or_of_what_is_held_out_is_known(reviews):
    found = review_texts.load("bare", None, str(reviews))
    known = set(found.tokenizer.tokens)
    assert END in known
    assert not any(word.startswith("test") for word in known)
    starts = np.cumsum(found.lengths) - found.lengths
    for part in ("validation", "test"):
        assert (found.tokens[starts[found.places(part)]] == UNKNOWN).all()  # names that no other has
    for part in ("train", "unlabelled"):
        assert (found.tokens[starts[found.places(part)]] != UNKNOWN).all()


def test_what_is_kept_is_what_was_found(reviews, monkeypatch):
    first = review_texts.load("words", None, str(reviews))
    assert "." in first.tokenizer.tokens
    assert "\n" in first.tokenizer.tokens
    monkeypatch.setattr(imdb, "load", None)
    second = review_texts.load("words", None, str(reviews))
    assert second.tokenizer.tokens == first.tokenizer.tokens
    for one, other in zip(first[1:], second[1:], strict=True):
        np.testing.assert_array_equal(one, other)
    (file,) = reviews.glob("imdb_reviews-words-*.npz")
    file.write_bytes(file.read_bytes()[:-100])
    with pytest.raises(UserError, match="damaged"):
        review_texts.load("words", None, str(reviews))


@pytest.mark.slow
@real
def test_of_the_real_reviews_hundreds_are_copies(tmp_path):
    found = review_texts.load("bare", None, str(tmp_path))
    assert found.counts() == {"train": 341, "validation": 43, "test": 279, "tested": 45}
    assert len(found.places("train")) == 22_500
    assert len(found.places("unlabelled", "test")) == 49_292
