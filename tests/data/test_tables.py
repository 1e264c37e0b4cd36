"""Tables in files: what is read is what was written, block by block, and what is odd is named."""

import json

import pyarrow as pa
import pytest
from pyarrow import parquet

from rnn_jax.data import tables
from rnn_jax.data.tables import OUTPUTS, open_table
from rnn_jax.errors import UserError

ROWS = [
    {"id": "01", "text": 'Two lines,\n"quoted", and a comma', "label": "good"},
    {"id": "2", "text": "caf\u00e9 \u2028 and tabs\tinside", "label": ""},
    {"id": "3", "text": "", "label": "bad"},
]
KINDS = (".csv", ".tsv", ".jsonl", ".parquet")


def write(path, rows=ROWS):
    """A table as other programs write it."""
    columns = {name: [row[name] for row in rows] for name in rows[0]}
    if path.suffix == ".parquet":
        parquet.write_table(pa.table(columns), path)
    elif path.suffix == ".jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    else:
        separator = {".csv": ",", ".tsv": "\t"}[path.suffix]
        quoted = lambda value: '"' + value.replace('"', '""') + '"'  # noqa: E731
        lines = [list(columns), *(map(quoted, row.values()) for row in rows)]
        path.write_text("".join(separator.join(line) + "\r\n" for line in lines), newline="")
    return path


def rows_of(path):
    table = open_table(path)
    return [
        dict(zip(table.columns, row, strict=True))
        for block in table.blocks()
        for row in zip(*(block.column(name) for name in table.columns), strict=True)
    ]


@pytest.mark.parametrize("kind", KINDS)
def test_every_value_comes_as_it_stands(kind, tmp_path):
    assert rows_of(write(tmp_path / f"rows{kind}")) == ROWS


def test_rows_that_a_quotation_mark_joins_are_said(tmp_path, caplog):
    path = tmp_path / "rows.tsv"
    path.write_text('text\tlabel\nfine\tgood\n"so to say\tbad\nwell"\tgood\nfine\tbad\n')
    assert [row["label"] for row in rows_of(path)] == ["good", "good", "bad"]
    assert "row 2 of" in caplog.text
    assert "stray quotation mark" in caplog.text
    caplog.clear()
    rows_of(write(tmp_path / "quoted.tsv"))
    assert not caplog.text


@pytest.mark.parametrize("kind", KINDS)
def test_some_columns_alone(kind, tmp_path):
    table = open_table(write(tmp_path / f"rows{kind}"))
    [block] = table.blocks(("label", "id"))
    assert block.column("id") == ["01", "2", "3"]
    assert block.column("label") == ["good", "", "bad"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_large_file_comes_in_blocks_and_can_be_written_again(kind, tmp_path, monkeypatch):
    monkeypatch.setattr(tables, "BLOCK_ROWS", 7)
    monkeypatch.setattr(tables, "BLOCK_BYTES", 400)
    rows = [{"n": str(i), "text": f"word {i} \u00e9"} for i in range(100)]
    table = open_table(write(tmp_path / f"in{kind}", rows))
    sizes = []
    with (tmp_path / f"out{kind}").open("wb") as file:
        output = OUTPUTS[kind](file)
        for block in table.blocks():
            sizes.append(len(block))
            output.write(block, {"more": pa.array([f"{n}!" for n in block.column("n")])})
        output.close()
    assert len(sizes) > 3
    assert sum(sizes) == 100
    assert rows_of(tmp_path / f"out{kind}") == [row | {"more": f"{row['n']}!"} for row in rows]


def test_a_byte_order_mark_is_no_part_of_a_name(tmp_path):
    for name, content in (("a.csv", "text,label\na,b\n"), ("a.jsonl", '{"text": "a", "label": "b"}\n')):
        (tmp_path / name).write_text(content, encoding="utf-8-sig")
        assert rows_of(tmp_path / name) == [{"text": "a", "label": "b"}]


def test_a_folder_has_a_subfolder_a_label(tmp_path):
    for name, text in (
        ("pos/1.txt", "good"),
        ("neg/1.txt", "bad"),
        ("neg/0.txt", "awful"),
        ("unsup/1.txt", "x"),
    ):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    (tmp_path / "neg" / "notes.md").write_text("no text")
    (tmp_path / "urls.txt").write_text("no text")
    (tmp_path / ".git").mkdir()
    found = [(row["text"], row["label"]) for row in rows_of(tmp_path)]
    assert found == [("awful", "neg"), ("bad", "neg"), ("good", "pos")]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", b"text,label\na,b\nc,d,e\n", r"Row #3: Expected 2 columns, got 3: c,d,e"),
        ("a.csv", b"text,label\nc\n", r"Row #2: Expected 2 columns, got 1: c"),
        ("a.csv", b"text,label\nabout UTF8,b,c\n", r"Row #2: Expected 2 columns, got 3"),
        ("a.csv", b'text,label\n"never ends,b\n' + b"more,c\n" * 2_000_000, "a quotation mark has no end"),
        ("a.csv", b"text,text\na,b\n", r"two columns of one name in its header: 'text', 'text'"),
        ("a.csv", b"text;label\na;b\n", "is separated by ';', and not by ','"),
        ("a.csv", b"", "Empty CSV file"),
        (
            "a.csv",
            b"text,label\nok,b\ncaf\xe9,b\n",
            r"byte 0xe9 at offset 19 in line 3; it may be Windows-1252",
        ),
        ("a.csv", "text,label\na,b\n".encode("utf-16"), r"byte 0xff at offset 0 in line 1; it may be UTF-16"),
        ("a.jsonl", b'{"text": "caf\xe9"}\n', r"byte 0xe9 at offset 13 in line 1"),
        ("a.jsonl", b'{"text": 1}\n{"text"\n', r"no JSON in line 2"),
        ("a.jsonl", b'["text"]\n', r"no JSON object in line 1, but \[\"text\"\]"),
        ("a.parquet", b"text,label\n", r"cannot be read"),
        ("a.xlsx", b"", r"a file that ends in \.csv, \.tsv, \.jsonl, \.ndjson, \.parquet, or a folder"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_is_odd_is_named(name, content, message, tmp_path):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UserError, match=message):
        rows_of(tmp_path / name)


def test_the_byte_that_is_not_utf8_is_found_wherever_it_is(tmp_path, monkeypatch):
    monkeypatch.setattr(tables, "BLOCK_BYTES", 8)
    for before in range(24):
        text = ("é\n" * 12).encode()[:before].decode(errors="ignore").encode()
        (tmp_path / "a.txt").write_bytes(text + b"\xe9" + b"\nand more")
        said = str(tables.not_utf8(tmp_path / "a.txt"))
        assert f"byte 0xe9 at offset {len(text)} in line {text.count(10) + 1};" in said


def test_half_a_character_is_written_as_it_was_read(tmp_path):
    (tmp_path / "in.jsonl").write_text('{"text": "cut \\ud83d", "n": "caf\u00e9"}\n', encoding="utf-8")
    with (tmp_path / "out.jsonl").open("wb") as file:
        for block in open_table(tmp_path / "in.jsonl").blocks():
            OUTPUTS[".jsonl"](file).write(block, {})
    assert rows_of(tmp_path / "out.jsonl") == rows_of(tmp_path / "in.jsonl")


def test_an_empty_line_is_a_row_where_there_is_one_column(tmp_path):
    (tmp_path / "a.csv").write_text("text\na\n\nb\n")
    assert [row["text"] for row in rows_of(tmp_path / "a.csv")] == ["a", "", "b"]


def test_what_is_not_there_is_named(tmp_path):
    with pytest.raises(UserError, match=r"there is no file .*none\.csv"):
        open_table(tmp_path / "none.csv")
    with pytest.raises(UserError, match="has no subfolders"):
        open_table(tmp_path)
