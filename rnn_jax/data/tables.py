"""Tables of texts in files, a block of rows at a time: CSV, TSV, JSON lines, Parquet, folders of text files.

    table = open_table("reviews.csv")
    for block in table.blocks(["text", "label"]):
        block.column("text")  # a list of values; None where there is none

Values are what the file says: of CSV and TSV always strings, "1" as well as "01". A block can be written to
another file of the same kind, with columns added (`Output`), so that a file of any size is never in memory as
a whole.
"""

import contextlib
import itertools
import json
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, Protocol

import pyarrow as pa
from pyarrow import compute, csv, parquet

from rnn_jax.errors import UserError
from rnn_jax.places import local

BLOCK_BYTES = 2**22  # of a file, read at once
BLOCK_ROWS = 8192
FOLDER_COLUMNS = ("text", "label")
FILE = "file"  # what a row of a folder has besides: its place in it
UNLABELLED_FOLDERS = ("unsup",)  # as aclImdb calls it
SEPARATORS = (";", "\t", ",", "|")  # that tables have, where another was expected
JOINED = (
    "warning: row %s of %s has a value with tabs and line breaks: if none was meant, a stray quotation mark "
    "has joined rows; write it twice, and the value between two more"
)
UTF8_MARK = b"\xef\xbb\xbf"
MARKS = {b"\xff\xfe": "UTF-16", b"\xfe\xff": "UTF-16"}  # the byte-order marks of other encodings

log = logging.getLogger(__name__)


class Block(Protocol):
    """Some rows of a table."""

    def __len__(self) -> int:
        """How many there are."""

    def column(self, name: str) -> list[Any]:
        """The values of a column; None where there is none."""


class Table(Protocol):
    """A table in a file.

    Attributes:
        path: of the file, or folder.
        columns: their names.
    """

    path: Path
    columns: tuple[str, ...]

    def blocks(self, columns: Sequence[str] | None = None) -> Iterator[Block]:
        """All rows in order, some at a time, of some columns or of all.

        Raises:
            UserError: if the file is damaged, is not UTF-8, or a row has fields too many or too few.
        """


class Output(Protocol):
    """A table that is being written into an open file."""

    def write(self, block: Block, more: Mapping[str, pa.Array]) -> None:
        """Adds the rows of a block of a table of the same kind, with more columns."""

    def close(self) -> None:
        """Writes what is left."""


class ArrowBlock:
    """Rows as Arrow has them."""

    def __init__(self, batch: pa.RecordBatch) -> None:
        self.batch = batch

    def __len__(self) -> int:
        return self.batch.num_rows

    def column(self, name: str) -> list[Any]:
        """The values of a column."""
        return self.batch.column(name).to_pylist()

    def with_more(self, more: Mapping[str, pa.Array]) -> pa.Table:
        """The rows, with more columns."""
        table = pa.Table.from_batches([self.batch])
        for name, values in more.items():
            table = table.append_column(name, values)
        return table


class Delimited:
    """CSV or TSV, with a header; every value is a string."""

    def __init__(self, path: Path, delimiter: str) -> None:
        self.path, self.delimiter = path, delimiter
        self.columns: tuple[str, ...] = ()
        with _readable(path), self._open() as reader:
            self.columns = tuple(reader.schema.names)
        other = next((sign for sign in SEPARATORS if len(self.columns) == 1 and sign in self.columns[0]), "")
        if other:
            raise UserError(f"{path} is separated by {other!r}, and not by {delimiter!r}: save it so")
        if len(set(self.columns)) < len(self.columns):
            raise UserError(f"{path} has two columns of one name in its header: {_listed(self.columns)}")

    def blocks(self, columns: Sequence[str] | None = None) -> Iterator[ArrowBlock]:
        """See `Table`."""
        chosen = list(self.columns if columns is None else columns)
        before, looks = 0, self.delimiter == "\t"
        with _readable(self.path), self._open(chosen) as reader:
            for batch in reader:
                if looks and (row := _joined_row(batch)) is not None:
                    log.warning(JOINED, f"{before + row + 1:,}", self.path)
                    looks = False
                before += batch.num_rows
                yield ArrowBlock(batch)

    def _open(self, columns: Sequence[str] = ()) -> csv.CSVStreamingReader:
        types = {name: pa.string() for name in columns}
        return csv.open_csv(
            self.path,
            csv.ReadOptions(use_threads=False, block_size=BLOCK_BYTES),
            # An empty line is a row where there is one column.
            csv.ParseOptions(
                delimiter=self.delimiter, newlines_in_values=True, ignore_empty_lines=len(self.columns) != 1
            ),
            csv.ConvertOptions(column_types=types, include_columns=list(columns), strings_can_be_null=False),
        )


def _joined_row(batch: pa.RecordBatch) -> int | None:
    """The first row with a tab and a line break in one value: many programs write TSV without quotation."""
    for column in batch.columns:
        joined = compute.match_substring_regex(column, "(?s)\t.*\n|\n.*\t")
        if (row := compute.index(joined, True).as_py()) >= 0:
            return row
    return None


class ArrowOutput:
    """A file that a writer of Arrow makes, which wants to know the columns first.

    Args:
        file: open.
        writer: what makes it, from the file and a schema.
    """

    def __init__(self, file: BinaryIO, writer: Callable[[BinaryIO, pa.Schema], Any]) -> None:
        self.file, self.make_writer = file, writer
        self.writer: Any = None

    def write(self, block: Block, more: Mapping[str, pa.Array]) -> None:
        """See `Output`."""
        assert isinstance(block, ArrowBlock)
        table = block.with_more(more)
        if self.writer is None:
            self.writer = self.make_writer(self.file, table.schema)
        self.writer.write_table(table)

    def close(self) -> None:
        """See `Output`."""
        if self.writer is not None:
            self.writer.close()


def _delimited(file: BinaryIO, schema: pa.Schema, delimiter: str) -> csv.CSVWriter:
    options = csv.WriteOptions(delimiter=delimiter, quoting_style="needed")
    return csv.CSVWriter(file, schema, write_options=options)


class Parquet:
    """A Parquet file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        with _readable(path):
            self.columns = tuple(parquet.read_schema(path).names)

    def blocks(self, columns: Sequence[str] | None = None) -> Iterator[ArrowBlock]:
        """See `Table`."""
        with _readable(self.path), parquet.ParquetFile(self.path) as file:
            chosen = None if columns is None else list(columns)
            yield from map(ArrowBlock, file.iter_batches(BLOCK_ROWS, columns=chosen))


class Objects:
    """Rows as dicts."""

    def __init__(self, rows: list[dict[str, Any]]) -> None:
        self.rows = rows

    def __len__(self) -> int:
        return len(self.rows)

    def column(self, name: str) -> list[Any]:
        """The values of a column."""
        return [row.get(name) for row in self.rows]


def _in_blocks(rows: Iterator[dict[str, Any]]) -> Iterator[Objects]:
    while own := list(itertools.islice(rows, BLOCK_ROWS)):
        yield Objects(own)


class JsonLines:
    """A JSON object a line; its columns are the names in the first `BLOCK_ROWS` objects."""

    def __init__(self, path: Path) -> None:
        self.path = path
        first = itertools.islice(self._lines(), BLOCK_ROWS)
        self.columns = tuple(dict.fromkeys(name for row in first for name in row))

    def blocks(self, columns: Sequence[str] | None = None) -> Iterator[Objects]:
        """See `Table`."""
        return _in_blocks(self._lines())

    def _lines(self) -> Iterator[dict[str, Any]]:
        with _readable(self.path), self.path.open(encoding="utf-8-sig", newline="\n") as file:
            for number, line in enumerate(file, 1):
                if not line.strip():
                    continue
                try:
                    row = json.loads(line)
                except (ValueError, RecursionError) as error:
                    raise UserError(f"{self.path} has no JSON in line {number}: {error}") from error
                if not isinstance(row, dict):
                    raise UserError(
                        f"{self.path} has no JSON object in line {number}, but {line.strip()[:40]}"
                    )
                yield row


class JsonLinesOutput:
    """A JSON object a line."""

    def __init__(self, file: BinaryIO) -> None:
        self.file = file

    def write(self, block: Block, more: Mapping[str, pa.Array]) -> None:
        """See `Output`."""
        assert isinstance(block, Objects)
        new = {name: values.to_pylist() for name, values in more.items()}
        for number, row in enumerate(block.rows):
            own = row | {name: values[number] for name, values in new.items()}
            try:
                line = json.dumps(own, ensure_ascii=False).encode()
            except UnicodeEncodeError:  # half a character, as texts that were cut have it
                line = json.dumps(own).encode()
            self.file.write(line + b"\n")

    def close(self) -> None:
        """See `Output`."""


class Folder:
    """A folder with a subfolder a label, and in it a text a file, `*.txt`; hidden ones are passed over."""

    columns: tuple[str, ...] = FOLDER_COLUMNS

    def __init__(self, path: Path) -> None:
        self.path = path
        self.labels = sorted(
            each.name
            for each in path.iterdir()
            if each.is_dir() and not each.name.startswith(".") and each.name not in UNLABELLED_FOLDERS
        )
        taken = sum(1 for label in self.labels for _ in (path / label).glob("*.txt"))
        there = sum(1 for each in path.rglob("*") if each.is_file() and not each.name.startswith("."))
        self.passed_over = there - taken
        if not self.labels:
            raise UserError(
                f"{path} has no subfolders: it takes one for each label, with texts as .txt files"
            )

    def blocks(self, columns: Sequence[str] | None = None) -> Iterator[Objects]:
        """See `Table`."""
        return _in_blocks(self._texts())

    def _texts(self) -> Iterator[dict[str, Any]]:
        for label in self.labels:
            for file in sorted((self.path / label).glob("*.txt")):
                with _readable(file):
                    text = file.read_text(encoding="utf-8-sig")
                yield {"text": text, "label": label, FILE: f"{label}/{file.name}"}


KINDS: dict[str, Callable[[Path], Table]] = {
    ".csv": lambda path: Delimited(path, ","),
    ".tsv": lambda path: Delimited(path, "\t"),
    ".jsonl": JsonLines,
    ".ndjson": JsonLines,
    ".parquet": Parquet,
}
OUTPUTS: dict[str, Callable[[BinaryIO], Output]] = {
    ".csv": lambda file: ArrowOutput(file, partial(_delimited, delimiter=",")),
    ".tsv": lambda file: ArrowOutput(file, partial(_delimited, delimiter="\t")),
    ".jsonl": JsonLinesOutput,
    ".ndjson": JsonLinesOutput,
    ".parquet": lambda file: ArrowOutput(file, parquet.ParquetWriter),
}


def open_table(place: str | Path) -> Table:
    """The table in a file or folder.

    Raises:
        UserError: if there is none, its ending says nothing, or it cannot be read.
    """
    path = local(place)
    if path.is_dir():
        return Folder(path)
    if not path.exists():
        raise UserError(f"there is no file {path}")
    return KINDS[ending(path)](path)


def ending(path: Path) -> str:
    """The ending of a file's name, which says what kind of table it is.

    Raises:
        UserError: if it says nothing.
    """
    if (found := path.suffix.lower()) not in KINDS:
        raise UserError(
            f"{path} is of no known kind: name a file that ends in {', '.join(KINDS)}, or a folder"
        )
    return found


@contextlib.contextmanager
def _readable(path: Path) -> Iterator[None]:
    """Says in one line why a file cannot be read."""
    try:
        yield
    except UnicodeDecodeError:
        raise not_utf8(path) from None
    except pa.ArrowInvalid as error:
        words = " ".join(str(error).split())
        if "invalid UTF8 data" in words or _mark(path):
            raise not_utf8(path) from None
        if "Expected" in words and "columns" in words:
            words += "; put a value that holds the separator between quotation marks"
        if "straddling" in words:
            words = f"a row has more than {BLOCK_BYTES:,} bytes, or a quotation mark has no end"
        raise UserError(f"{path} cannot be read: {words[:300]}") from error
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror or error}") from error


def has_mark(path: Path) -> bool:
    """Whether a file begins with the byte-order mark of UTF-8."""
    with path.open("rb") as file:
        return file.read(len(UTF8_MARK)) == UTF8_MARK


def not_utf8(path: Path) -> UserError:
    """What is wrong with a file that is not UTF-8: the first byte that does not fit, and what it may be."""
    guess, offset, line = _mark(path), 0, 1
    with path.open("rb") as file:
        rest = b""
        while not guess and (part := file.read(BLOCK_BYTES)):
            content = rest + part
            try:
                content.decode()
                rest = b""
            except UnicodeDecodeError as error:
                rest = content[error.start :]
                if len(rest) >= 4:  # bytes: no character has more, so that this one is none
                    offset, line = offset + error.start, line + content.count(b"\n", 0, error.start)
                    break
                content = content[: error.start]
            offset, line = offset + len(content), line + content.count(b"\n")
        file.seek(offset)
        byte = file.read(1)
    return UserError(
        f"{path} is not UTF-8: byte 0x{byte.hex()} at offset {offset} in line {line}; "
        f"it may be {guess or 'Windows-1252'}: iconv -f {guess or 'Windows-1252'} -t UTF-8"
    )


def _mark(path: Path) -> str:
    """The encoding that a file's first bytes name, if they do."""
    with path.open("rb") as file:
        return MARKS.get(file.read(2), "")


def _listed(columns: Sequence[str]) -> str:
    return ", ".join(map(repr, columns)) or "none"
