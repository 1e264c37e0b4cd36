"""Texts to tokens and back."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnn_jax.data.texts import cut, read_tokenizer, tokenizer_file
from rnn_jax.data.tokenizers import KINDS, UNKNOWN, encode_all
from rnn_jax.errors import UserError

TEXT = "It's 5 o'clock (or so), they said: \u201cstop!\u201d\n\nAnd then, at last, it stopped.\n"


def count(kind, text):
    """All tokens of a text."""
    return encode_all(kind, [text], np.ones(1, bool), ends=False)[0]


def test_the_most_frequent_tokens_come_first_and_the_rest_is_unknown():
    tokenizer = count("words", "b a b. b a c").limit(3)
    assert tokenizer.tokens == ("b", "a")
    assert tokenizer.encode("a b c").tolist() == [2, 1, UNKNOWN]
    assert tokenizer.decode([2, 1, 0]) == "a b <unk>"


def test_words_are_lower_case_and_keep_signs_and_lines():
    tokenizer = count("words", TEXT)
    assert tokenizer.decode(tokenizer.encode(TEXT)) == (
        "it's 5 o'clock (or so), they said: \u201cstop!\u201d\n\nand then, at last, it stopped.\n"
    )


def test_a_text_that_is_cut_already_is_cut_at_blanks_and_lines():
    tokenizer = count("blanks", "the <unk> cat\n\nsat .\n")
    assert tokenizer.size == 1 + 5  # the, cat, sat, ., and the line end
    tokens = tokenizer.encode("the <unk> cat\n\nsat .\n")
    assert tokenizer.names(tokens) == ["the", "<unk>", "cat", "<eos>", "<eos>", "sat", ".", "<eos>"]
    assert tokenizer.decode(tokens) == "the <unk> cat\n\nsat .\n"


@given(st.sampled_from(list(KINDS)), st.lists(st.integers(1, 40), max_size=30), st.text("ab .'", max_size=4))
def test_what_is_decoded_encodes_to_the_same_tokens(kind, drawn, end):
    """Whatever a model may produce, one token after another, wherever the text ended that was counted."""
    tokenizer = count(kind, TEXT + "aa ' - . ( 5 % don't\n" + end)
    tokens = [index for index in drawn if index < tokenizer.size]
    text = tokenizer.decode(tokens)
    assert "".join(tokenizer.decode_each(tokens)) == text
    if kind == "blanks" and tokens and tokens[-1] != tokenizer.encode("\n")[0]:
        tokens.append(int(tokenizer.encode("\n")[0]))  # a line ends at the end of the text
    assert tokenizer.encode(text).tolist() == tokens


@pytest.mark.parametrize("kind", KINDS)
def test_a_tokenizer_comes_back_from_its_file(kind, tmp_path):
    tokenizer = count(kind, TEXT + "\\n \u2028 \x85 caf\u00e9 \U0001f600\t\r")
    file = tmp_path / "tokens.txt"
    file.write_text(tokenizer_file(tokenizer), encoding="utf-8")
    again = read_tokenizer(file)
    assert (again.kind, again.tokens) == (tokenizer.kind, tokenizer.tokens)
    file.write_text("nothing\na")
    with pytest.raises(UserError, match="unknown kind 'nothing'"):
        read_tokenizer(file)


def test_the_end_of_a_text_is_held_out():
    texts = cut("".join(map(str, range(1000))))
    assert "".join(texts) == "".join(map(str, range(1000)))
    assert len(texts.validation) == len(texts.test) == round(0.05 * sum(map(len, texts)))
