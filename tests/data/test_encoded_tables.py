"""Labelled rows as integers: encoded once, by whichever processes, and anew when their source changes."""

import numpy as np
import pytest

from rnn_jax.data import encoded_tables
from rnn_jax.data.encoded_tables import EncodedRows, Rows, encode_rows, read_rows
from rnn_jax.data.examples import NO_LABEL
from rnn_jax.errors import UserError
from tests.data.labelled import menu


def test_a_source_is_kept_once(write, read, tmp_path):
    read(write("one.csv", menu(60)))
    read(write("other.csv", menu(60)))
    assert len(list((tmp_path / "cache").iterdir())) == 2
    read(write("one.csv", menu(63)))
    assert len(list((tmp_path / "cache").iterdir())) == 2


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


def test_damaged_rows_are_not_trained_on(tmp_path):
    encode_rows([Rows(["a b", "c"], ["x", "y"], 0)], 0, tmp_path / "rows")
    content = (tmp_path / "rows" / "tokens").read_bytes()
    (tmp_path / "rows" / "tokens").write_bytes(content[:-4])
    with pytest.raises(UserError, match=r"is damaged \(tokens are missing\): delete it"):
        read_rows(tmp_path / "rows")
