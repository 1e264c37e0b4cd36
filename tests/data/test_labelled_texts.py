"""Labelled texts as a network reads them, and found again as they are written."""

import numpy as np
import pytest

from rnn_jax.data.examples import finish
from rnn_jax.data.labelled_settings import LabelledSettings
from rnn_jax.data.labelled_texts import originals
from rnn_jax.data.vocabulary import Vocabulary, split_words
from tests.data.labelled import menu, words_of


def test_words_are_counted_in_the_training_split_alone(write, read):
    texts = read(
        write("train.csv", menu(60)), test=write("test.csv", [("salt words", "fish")]), vocabulary_size=10_000
    )
    counted = Vocabulary.count([text.removeprefix("<start> ") for text, _ in words_of(texts, "train")])
    assert texts.vocabulary.words == counted.words
    assert words_of(texts, "test") == [("<start> <unknown> <unknown>", "fish")]


@pytest.mark.parametrize("cut", ["head", "tail"])
def test_texts_are_cut_as_reviews_are(cut, write, read):
    rows = menu(60)
    texts = read(write("all.csv", rows), vocabulary_size=30, max_length=6, truncate=cut)
    by_words = {tuple(split_words(text)): text for text, _ in rows}
    full = read(write("full.csv", rows), vocabulary_size=10_000)
    assert texts.train.lengths.max() == 6
    for short, whole in zip(texts.train.sequences, full.train.sequences, strict=True):
        text = by_words[tuple(full.vocabulary.decode(whole).split()[1:])]
        np.testing.assert_array_equal(short, finish(texts.vocabulary.encode(text), 30, 6, cut))


def test_rows_are_found_again_as_they_are_written(write, read):
    shout = lambda rows: [(text.upper(), label) for text, label in rows]  # noqa: E731
    own = {"train": shout(menu(60)), "test": shout(menu(30, seed=1))}
    files = {part: write(f"{part}.csv", rows) for part, rows in own.items()}
    texts = read(**files)
    settings = LabelledSettings(**files)
    for number, part in ((1, "train"), (2, "test")):
        rows, tables = texts.rows[number], texts.tables[number]
        expected = [(f"{part}.csv row {row}", own[part][row - 1][0]) for row in rows]
        assert originals(settings, tables, rows) == expected


def test_texts_of_a_folder_are_found_by_their_files(tmp_path, read):
    for number, (text, label) in enumerate(menu(60)):
        folder = tmp_path / "all" / label
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{number}.txt").write_text(text)
    texts = read(str(tmp_path / "all"))
    found = originals(LabelledSettings(train=str(tmp_path / "all")), texts.tables[2], texts.rows[2])
    assert len(found) == 6
    for name, text in found:
        assert (tmp_path / "all" / name).read_text() == text


def test_texts_that_are_one_word_each_are_warned_of(write, read, caplog):
    read(write("all.csv", [(f"{label}{n}", label) for n, (_, label) in enumerate(menu(60))]))
    assert (
        "warning: 100% of the words of the test split are not among the words that are learnt" in caplog.text
    )
    caplog.clear()
    read(
        write(
            "words.csv",
            [(f"{label} word{n % 8} word{n % 7}", label) for n, (_, label) in enumerate(menu(60))],
        )
    )
    assert "warning" not in caplog.text
