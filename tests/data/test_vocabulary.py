import pytest

from rnn_jax.data.vocabulary import BYTES, FIRST_WORD, PAD, START, UNKNOWN, Vocabulary, split_words

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


TEXT = "A naïve <br />\n“film”…  🎬"


def test_bytes_come_back_as_the_text_that_was_written():
    tokens = BYTES.encode(TEXT)
    assert tokens.tolist() == [FIRST_WORD + byte for byte in TEXT.encode("utf-8")]
    assert BYTES.decode([START, *tokens, PAD]) == TEXT
    assert BYTES.decode(tokens[:-1]) == TEXT[:-1] + "\ufffd"  # half of a character
    assert BYTES.decode(BYTES.encode("cut \ud83c")) == "cut ?"


def test_every_byte_has_a_name_of_its_own_that_a_line_of_a_file_holds():
    assert BYTES.size == FIRST_WORD + 256 == len(set(BYTES.words)) + FIRST_WORD
    assert "\n".join(BYTES.words).splitlines() == list(BYTES.words)
    assert BYTES.indices(BYTES.split(TEXT)).tolist() == BYTES.encode(TEXT).tolist()
    assert BYTES.names()[:128] == tuple(map(chr, range(128)))  # as a language model of characters has them


def test_the_words_of_a_file_tell_whether_they_are_bytes():
    assert Vocabulary.of(list(BYTES.words)) is BYTES
    assert Vocabulary.of(["a"]).encode("A a").tolist() == [3, 3]
