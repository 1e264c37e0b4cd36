"""Which split each labelled row lies in, and what is said of the rows before training."""

import logging

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from rnn_jax.data.encoded_tables import EncodedRows
from rnn_jax.data.labelled_splits import split_rows
from rnn_jax.errors import UserError
from tests.data.labelled import LABELS, menu, words_of


def test_a_tenth_of_each_label_is_held_out_twice(write, read):
    rows = menu(300)
    texts = read(write("all.csv", rows), vocabulary_size=10_000)
    assert texts.labels == ("fish", "fruit", "meat")
    parts = {part: words_of(texts, part) for part in ("train", "validation", "test")}
    for part, count in (("train", 80), ("validation", 10), ("test", 10)):
        labels = [label for _, label in parts[part]]
        assert [labels.count(label) for label in LABELS] == [count] * 3
    # Words that the training texts have not are unknown: the rest comes back as it was.
    train = {text.removeprefix("<start> ") for text, _ in parts["train"]}
    assert train < {text for text, _ in rows}
    again = read(write("again.csv", rows), vocabulary_size=10_000)
    assert words_of(again, "test") == parts["test"]


def test_what_is_odd_is_said(write, read, caplog):
    rows = [
        *menu(60),
        ("", "fish"),
        ("...", "fish"),
        ("a text", ""),
        ("The same text!", "fish"),
        ("the same text", "meat"),
        ("alone", "rare"),
    ]
    with caplog.at_level(logging.INFO, "rnn_jax"):
        texts = read(write("odd.csv", rows))
    said = caplog.text
    assert "odd.csv: 66 rows; 4 labels: fish: 21, fruit: 20, meat: 21, rare: 1" in said
    assert "1 rows have no label: left out" in said
    assert "2 rows have no words: left out" in said
    assert "1 rows repeat the text of another, and lie in one split with it; 1 of these" in said
    assert "fish has 21 rows, rare has 1" in said
    assert "rare: one row each, which is trained on" in said
    assert sum(map(len, (texts.train, texts.validation, texts.test))) == 63
    assert "rare" in {label for _, label in words_of(texts, "train")}


def test_each_file_is_counted_by_label(write, read, caplog):
    with caplog.at_level(logging.INFO, "rnn_jax"):
        read(write("train.csv", menu(60)), test=write("test.csv", [*menu(4, seed=1), ("salt", "")]))
    assert "train.csv: 60 rows; 3 labels: fish: 20, fruit: 20, meat: 20" in caplog.text
    assert "test: fish: 2, fruit: 1, meat: 1" in caplog.text


def test_a_text_lies_in_one_split_alone(write, read, caplog):
    train, test = menu(90), menu(30, seed=1)
    with caplog.at_level(logging.INFO, "rnn_jax"):
        texts = read(
            write("train.csv", [*train, *test[:7]]),
            validation=write("validation.csv", [*test[5:9], *train[:3]]),
            test=write("test.csv", test),
            vocabulary_size=10_000,
        )
    assert "11 rows repeat a text of the test file: left out" in caplog.text  # 7 and 4
    assert "3 rows repeat a text of the validation file: left out" in caplog.text
    assert [len(texts.train), len(texts.validation), len(texts.test)] == [87, 3, 30]


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 2), st.integers(0, 2)), min_size=40, max_size=80))
def test_no_text_is_torn_and_none_is_lost(drawn):
    keys, labels, parts = (np.array(column) for column in zip(*drawn, strict=True))
    keys = np.where(np.arange(len(keys)) % 3 == 0, keys, 100 + np.arange(len(keys)))  # a third repeats others
    count = len(keys)
    rows = EncodedRows(
        ["a"],
        list("xyz"),
        np.zeros(count, np.int32),
        np.ones(count, np.int32),
        labels.astype(np.int32),
        keys.astype(np.uint64),
        parts.astype(np.int8),
    )
    try:
        splits = split_rows("drawn", rows, refit=False)
    except UserError:
        assume(False)  # too few of something
    for key in np.unique(keys):
        assert len(set(splits.parts[keys == key].tolist()) - {-1}) == 1
    left_out = splits.parts == -1
    assert (np.isin(keys[left_out], keys[~left_out])).all()
    assert (splits.parts[parts == 2] == 2).all()


@pytest.mark.parametrize(
    ("rows", "header", "settings", "message"),
    [
        (menu(9), ("text", "label"), {}, "too few texts to hold a tenth out as the validation split"),
        ([("a", "x")] * 3, ("text", "label"), {}, "has the label 'x' alone: two labels or more are needed"),
        ([], ("text", "label"), {}, r"train\.csv has no rows below its header"),
        ([("a", "")], ("text", "label"), {}, "has no text with a label"),
        (menu(60), ("a", "b"), {}, r"--text-column and --label-column; there are 'a', 'b'"),
        (menu(60), ("text", "b"), {"label_column": "c"}, r"no column 'c': its columns are 'text', 'b'"),
        ([(f"w{i}", f"l{i}") for i in range(2000)], ("text", "label"), {}, "has 2,000 labels, 'l0' and 'l1'"),
    ],
    ids=str,
)
def test_what_cannot_be_learnt_is_refused(rows, header, settings, message, write, read):
    with pytest.raises(UserError, match=message):
        read(write("train.csv", rows, header), **settings)


def test_a_label_that_is_not_trained_on_is_named_with_its_row(write, read):
    with pytest.raises(UserError, match="the test file has the label 'bread' in row 2, which the training"):
        read(write("train.csv", menu(60)), test=write("test.csv", [("a", "fish"), ("b", "bread")]))


def test_numbers_are_labels_in_the_order_of_their_values(write, read):
    rows = [(f"word{i} unique{i}", (2, 10, -1)[i % 3]) for i in range(60)]
    assert read(write("numbers.csv", rows)).labels == ("-1", "2", "10")


def test_splits_of_which_nothing_is_left_are_named(write, read):
    places = {
        "train": write("train.csv", menu(60)),
        "test": write("test.csv", menu(60)),
        "blank": write("blank.csv", [(text, "") for text, _ in menu(9)]),
    }
    for settings, part in (
        ({"test": places["test"]}, "train"),
        ({"test": places["blank"]}, "test"),
        ({"test": places["test"], "validation": places["test"]}, "train"),
    ):
        with pytest.raises(UserError, match=f"no row of the {part} split can be used"):
            read(places["train"], **settings)


def test_refit_trains_on_rows_that_are_validated_on_otherwise(write, read):
    """Also where a data set brings its own, as those of TFDS do."""
    count = 60
    rows = EncodedRows(
        ["a"],
        ["x", "y"],
        np.zeros(count, np.int32),
        np.ones(count, np.int32),
        (np.arange(count) % 2).astype(np.int32),
        np.arange(count).astype(np.uint64),
        (np.arange(count) // 20).astype(np.int8),
    )
    parts = split_rows("own", rows, refit=True).parts
    assert np.bincount(parts).tolist() == [40, 0, 20]
    assert rows.numbers[[0, 20, 59]].tolist() == [1, 1, 20]
