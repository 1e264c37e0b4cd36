"""Columns of files with texts and labels, and what is wrong with their values."""

import json
import logging

import pytest

from rnn_jax.data import labelled_files
from rnn_jax.errors import UserError
from tests.data.labelled import menu


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


def test_a_text_that_is_a_number_is_named(write, read, tmp_path):
    (tmp_path / "a.jsonl").write_text('{"text": "a", "label": 1}\n{"text": 5, "label": 1}\n')
    with pytest.raises(UserError, match="'text' of row 2 is a int, and not a text"):
        read(str(tmp_path / "a.jsonl"))
    (tmp_path / "b.jsonl").write_text('{"text": "a", "label": [1]}\n')
    with pytest.raises(UserError, match="'label' of row 1 is a list, and not a label"):
        read(str(tmp_path / "b.jsonl"))
