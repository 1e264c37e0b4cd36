import pytest

from rnn_jax.data.vocabulary import FIRST_WORD, PAD, START, UNKNOWN, Vocabulary, split_words

TEXTS = ["A film, a FILM!<br /><br />It's a joy", "the film wasn't a joy"]


def test_words_are_lower_case_without_markup_or_punctuation():
    assert split_words(TEXTS[0]) == ["a", "film", "a", "film", "it's", "a", "joy"]
    assert split_words("caf\u00e9 N\u00b0 5 can\u2019t --- 8/10") == [
        "caf\u00e9",
        "n",
        "5",
        "can't",
        "8",
        "10",
    ]
    assert split_words("<br/> ... !") == []


def test_the_most_frequent_word_comes_first_and_equals_by_alphabet():
    vocabulary = Vocabulary.count(TEXTS)
    assert vocabulary.words == ("a", "film", "joy", "it's", "the", "wasn't")
    assert vocabulary.size == FIRST_WORD + 6


def test_a_review_comes_back_as_words():
    vocabulary = Vocabulary.count(TEXTS)
    tokens = vocabulary.encode("The film: a joy, unseen!")
    assert tokens.tolist() == [7, 4, 3, 5, UNKNOWN]
    assert vocabulary.decode([START, *tokens, PAD, PAD]) == "<start> the film a joy <unknown>"


def test_a_smaller_vocabulary_keeps_its_indices():
    whole = Vocabulary.count(TEXTS)
    small = whole.limit(5)
    assert small.size == 5
    assert small.words == whole.words[:2]
    assert small.encode("a film joy").tolist() == [3, 4, UNKNOWN]
    assert whole.limit(1000).words == whole.words


def test_a_vocabulary_without_room_for_a_word_is_refused():
    with pytest.raises(ValueError, match="at least 4, got 3"):
        Vocabulary(["a"]).limit(3)


@pytest.mark.parametrize("index", [-1, 4, 99])
def test_an_index_outside_is_refused(index):
    with pytest.raises(ValueError, match=f"index {index} is not in a vocabulary of 4"):
        Vocabulary(["a"]).decode([3, index])


def test_real_reviews_come_back_as_their_words(imdb_encoded):
    """Against the published properties of the dataset: the common words, and the mean length."""
    vocabulary = imdb_encoded.vocabulary
    assert vocabulary.words[:5] == ("the", "and", "a", "of", "to")
    first = imdb_encoded.train.sequences[0]
    assert (first >= FIRST_WORD).all()  # every word of the training split is known
    assert vocabulary.encode(vocabulary.decode(first)).tolist() == first.tolist()
    assert len(imdb_encoded.train) == len(imdb_encoded.test) == 25_000
    assert 220 < imdb_encoded.train.lengths.mean() < 245
