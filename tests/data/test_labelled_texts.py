"""Labelled texts: what is read, what is said of it, and which split each row lies in."""

import csv
import json
import logging

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from rnn_jax.data import encoded_tables, labelled_files
from rnn_jax.data.encoded_tables import EncodedRows, Rows, encode_rows, read_rows
from rnn_jax.data.examples import NO_LABEL, finish
from rnn_jax.data.labelled_settings import LabelledSettings
from rnn_jax.data.labelled_splits import split_rows
from rnn_jax.data.labelled_texts import load, originals
from rnn_jax.data.vocabulary import Vocabulary, split_words
from rnn_jax.errors import UserError

LABELS = ("fish", "meat", "fruit")


@pytest.fixture
def write(tmp_path):
    def write(name, rows, header=("text", "label")):
        with (tmp_path / name).open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([header, *rows])
        return str(tmp_path / name)

    return write


@pytest.fixture
def read(tmp_path):
    def read(train, **settings):
        return load(LabelledSettings(train=train, **settings), cache_dir=str(tmp_path / "cache"))

    return read


def menu(count, seed=0):
    """Rows of words that tell their label."""
    rng = np.random.default_rng(seed)
    rows = []
    for number in range(count):
        label = LABELS[number % 3]
        words = [f"{label}{rng.integers(9)}", *(f"word{rng.integers(40)}" for _ in range(rng.integers(1, 9)))]
        rows.append((" ".join([*words, f"unique{number}"]), label))
    return rows


def words_of(texts, part):
    """The texts of a split as words, with their labels."""
    examples = getattr(texts, part)
    return [
        (texts.vocabulary.decode(tokens), texts.labels[label])
        for tokens, label in zip(examples.sequences, examples.labels, strict=True)
    ]


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


def test_a_source_is_kept_once(write, read, tmp_path):
    read(write("one.csv", menu(60)))
    read(write("other.csv", menu(60)))
    assert len(list((tmp_path / "cache").iterdir())) == 2
    read(write("one.csv", menu(63)))
    assert len(list((tmp_path / "cache").iterdir())) == 2


@pytest.mark.parametrize(
    ("labels", "kind"),
    [
        ((0, 1), "integer"),
        ((0, None, 1), "integer"),
        ((0.0, 1.0), "integer"),
        ((0, 1.5), "number"),
        ((True, False), "boolean"),
        (("0", "1"), "string"),
        ((0, "a"), "string"),
    ],
    ids=str,
)
def test_types_of_labels_are_told(labels, kind, tmp_path, read):
    rows = [{"text": f"word {n}", "label": labels[n % len(labels)]} for n in range(60)]
    (tmp_path / "all.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert read(str(tmp_path / "all.jsonl")).label_type == kind


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


def test_obvious_columns_are_found(write, read):
    for header in (("id", "Review", "Sentiment"), ("id", "text", "class")):
        rows = [(number, text, label) for number, (text, label) in enumerate(menu(60))]
        assert read(write("wide.csv", rows, header)).labels == ("fish", "fruit", "meat")
    assert read(write("two.csv", menu(60), ("notes", "label"))).labels == ("fish", "fruit", "meat")
    with pytest.raises(UserError, match="--text-column; there are"):  # which of two?
        read(write("wide.csv", [(t, t, label) for t, label in menu(60)], ("text", "title", "label")))


def test_a_row_without_a_label_may_be_the_first(read, tmp_path):
    rows = ['{"id": 1, "text": "no label"}', *(f'{{"text": "{t}", "label": "{y}"}}' for t, y in menu(60))]
    (tmp_path / "a.jsonl").write_text("\n".join(rows))
    texts = read(str(tmp_path / "a.jsonl"))
    assert texts.labels == ("fish", "fruit", "meat")
    assert texts.text_column == "text"


def test_what_is_passed_over_and_what_looks_alike_is_said(read, write, tmp_path, caplog):
    for number, (text, label) in enumerate(menu(60)):
        file = tmp_path / "texts" / label / f"{number}.txt"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    (tmp_path / "texts/fish/deeper").mkdir()
    (tmp_path / "texts/fish/deeper/1.txt").write_text("x")
    (tmp_path / "texts/meat/1.md").write_text("x")
    with caplog.at_level(logging.INFO, "rnn_jax"):
        read(str(tmp_path / "texts"))
        read(write("capitals.csv", [*menu(60), *((f"w{i}", "FISH") for i in range(20))]))
    assert "2 files are passed over" in caplog.text
    assert "the text is in the column 'text', the label in 'label'" in caplog.text
    assert "FISH and fish differ in capitals alone" in caplog.text


def test_numbers_are_labels_in_the_order_of_their_values(write, read):
    rows = [(f"word{i} unique{i}", (2, 10, -1)[i % 3]) for i in range(60)]
    assert read(write("numbers.csv", rows)).labels == ("-1", "2", "10")


def test_other_processes_give_the_same_rows(tmp_path, monkeypatch):
    blocks = [
        Rows([f"w{i} w{i + j} shared" for j in range(5)], ["a", None] * 2 + ["b"], 0) for i in range(40)
    ]
    alone = encode_rows(blocks, 0, tmp_path / "alone")
    monkeypatch.setattr(encoded_tables, "cores", lambda: 2)
    several = encode_rows(blocks, 2**30, tmp_path / "several")
    assert several.words == alone.words
    for name in EncodedRows._fields[2:]:
        np.testing.assert_array_equal(getattr(several, name), getattr(alone, name))
    texts = [[alone.words[t] for t in row] for row in np.split(alone.tokens, alone.starts[1:])]
    assert texts == [text.split() for block in blocks for text in block.texts]
    assert alone.labels[:2].tolist() == [0, NO_LABEL]


def test_rows_are_encoded_once_and_anew_when_the_file_changes(write, read, tmp_path, monkeypatch):
    calls, inner = [], encoded_tables.encode_rows
    monkeypatch.setattr(encoded_tables, "encode_rows", lambda *args: calls.append(args) or inner(*args))
    path = write("train.csv", menu(60))
    first = read(path)
    assert read(path).fingerprint == first.fingerprint
    assert len(calls) == 1
    write("train.csv", menu(63))
    assert read(path).fingerprint != first.fingerprint
    assert len(calls) == 2


def test_a_folder_is_read_anew_when_a_text_goes_to_another_label(read, tmp_path):
    for number in range(60):
        file = tmp_path / "texts" / ("neg", "pos")[number % 2] / f"{number}.txt"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"word{number}")
    first = read(str(tmp_path / "texts"))
    (tmp_path / "texts/neg").rename(tmp_path / "texts/bad")
    again = read(str(tmp_path / "texts"))
    assert (first.labels, again.labels) == (("neg", "pos"), ("bad", "pos"))


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


def test_half_a_character_in_a_label_is_named(read, tmp_path):
    (tmp_path / "a.jsonl").write_text('{"text": "a", "label": "b\\ud83d"}\n')
    with pytest.raises(UserError, match="'label' of row 1 holds half a character"):
        read(str(tmp_path / "a.jsonl"))


def test_text_and_label_are_two_columns(write, read):
    with pytest.raises(UserError, match="'text' cannot be both text and label"):
        read(write("train.csv", menu(60)), text_column="text", label_column="text")


def test_a_file_that_changes_while_it_is_read_is_refused(write, read, tmp_path, monkeypatch):
    path = write("train.csv", menu(60))
    inner = labelled_files.rows_of

    def slowly(*args):
        write("train.csv", menu(63))
        return inner(*args)

    monkeypatch.setattr(labelled_files, "rows_of", slowly)
    with pytest.raises(UserError, match=r"train\.csv has changed while it was read"):
        read(path)
    assert not list((tmp_path / "cache").iterdir())


def test_damaged_rows_are_not_trained_on(tmp_path):
    encode_rows([Rows(["a b", "c"], ["x", "y"], 0)], 0, tmp_path / "rows")
    content = (tmp_path / "rows" / "tokens").read_bytes()
    (tmp_path / "rows" / "tokens").write_bytes(content[:-4])
    with pytest.raises(UserError, match=r"is damaged \(tokens are missing\): delete it"):
        read_rows(tmp_path / "rows")


def test_a_text_that_is_a_number_is_named(write, read, tmp_path):
    (tmp_path / "a.jsonl").write_text('{"text": "a", "label": 1}\n{"text": 5, "label": 1}\n')
    with pytest.raises(UserError, match="'text' of row 2 is a int, and not a text"):
        read(str(tmp_path / "a.jsonl"))
    (tmp_path / "b.jsonl").write_text('{"text": "a", "label": [1]}\n')
    with pytest.raises(UserError, match="'label' of row 1 is a list, and not a label"):
        read(str(tmp_path / "b.jsonl"))
