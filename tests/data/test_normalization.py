"""Texts that look alike are the same words, and the words of IMDb stay what they were."""

import hashlib
import re
import sys
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnn_jax.data.normalization import normalize
from rnn_jax.data.vocabulary import split_words

settings.register_profile("untimed", deadline=None)  # a busy machine is no failure
settings.load_profile("untimed")


@pytest.mark.parametrize(
    ("odd", "plain"),
    [
        ("cliche\u0301d cafe\u0301", "clichéd café"),
        ("J\u030cE", "\u01f0e"),  # composed in lower case alone
        ("dis\u00adappointing", "disappointing"),
        ("\ufeffdis\u200bappoint\u200cing\u200e", "disappointing"),
        ("a \u202bgood\u202c\u2069 f\u2060ilm", "a good film"),
        ("I didn&#39;t hate it", "I didn't hate it"),
        ("didn&amp;#39;t didn&#x27;t didn&apos;t didn&rsquo;t didn&#146;t", "didn't " * 5),
        ("Tom &amp; Jerry&nbsp;2, clich&eacute;d, dis&shy;appointing", "Tom Jerry 2 clichéd disappointing"),
        ("AT&T and A&E, sweet&sour, &notaword; &", "at t and a e sweet sour notaword"),
        ("don\u2019t don\u02bct don\uff07t don\u2032t don\u2018t don\u201bt don\x92t", "don't " * 7),
        ("<p class='a b' id=c>Good.<h1>Bad</h1>ugly<BR/><hr /><img src=\"a>b\">", "good bad ugly"),
        ("<b>Jaws</b> by<STRONG>Spielberg</STRONG>", "jaws by spielberg"),
        ("&lt;br /&gt;&lt;u&gt;Jaws&lt;/u&gt;", "jaws"),
        ("I <3 this", "i 3 this"),
        ("a < b and b > c, <sigh> <a and b> <br", "a b and b c sigh a and b br"),
        ("İSTANBUL İ I\u0307", "istanbul i i"),
        ("Straße STRASSE ΟΔΟΣ", "straße strasse οδος"),
    ],
)
def test_what_looks_alike_is_the_same_words(odd, plain):
    assert split_words(odd) == plain.lower().split()


# Pieces that mean something next to each other, more often than random characters would.
pieces = st.sampled_from(
    [*"<>&;#/'=i3Iß\u0130\u0307\u0301\u0345\u00ad\u200d\u037e\u1fef\u2019\u0338", "amp;", "&lt;", "<b", "br>"]
)
texts = st.lists(pieces | st.text(max_size=4), max_size=20).map("".join)


@given(texts)
def test_any_text_has_words_and_they_are_its_normal_form(text):
    words = split_words(text)
    assert split_words(" ".join(words)) == words
    assert normalize(" ".join(words)) == " ".join(words)
    assert words == " ".join(words).lower().split()


@given(texts)
def test_composed_and_decomposed_texts_are_equal(text):
    composed, decomposed = (unicodedata.normalize(form, text) for form in ("NFC", "NFD"))
    assert normalize(composed) == normalize(decomposed) == normalize(text)


def test_all_invisible_characters_are_dropped():
    """Of the category Cf, what stays is seen (signs around numbers, hieroglyphs), and separates words."""
    format_characters = [c for c in map(chr, range(sys.maxunicode)) if unicodedata.category(c) == "Cf"]
    stay = [c for c in format_characters if normalize(f"a{c}b") != "ab"]
    names = "ARABIC|SYRIAC|KAITHI|EGYPTIAN|INTERLINEAR"
    assert [c for c in stay if not re.match(names, unicodedata.name(c))] == []
    assert all(split_words(f"a{c}b") == ["a", "b"] for c in stay)


@pytest.mark.parametrize("part", ["9", "<b ", "<p a=", "<p a=' ", "&#", "&amp;", "amp;", " ", "\ud800"])
def test_a_text_made_to_harm_does_none(part):
    """No error, and no time that grows with the square of its length: that would be minutes."""
    normalize("&#" + part * (200_000 // len(part)) + ";")
    normalize("<p a=" + part * (200_000 // len(part)) + ">")


def test_the_encoded_reviews_are_those_of_the_recorded_results(imdb_encoded):
    """To the last bit. Rules that change them need a new version of the cache, and all rows run again."""
    found = hashlib.sha256("\n".join(imdb_encoded.vocabulary.words).encode())
    for part in (imdb_encoded.train, imdb_encoded.test):
        for array in (part.tokens, part.lengths, part.labels):
            found.update(array.tobytes())
    assert found.hexdigest() == "ca5eb76e422bcc97f672d3fc21420ac23dfac7690d56c6831ad5f8d38759130d"
