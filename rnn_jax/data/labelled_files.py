"""Rows of texts and labels out of files: which columns they are, and what they hold."""

import itertools
import logging
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from rnn_jax.data import cache
from rnn_jax.data.encoded_tables import EncodedRows, Rows, kept_rows
from rnn_jax.data.label_types import name_of, type_of
from rnn_jax.data.labelled_settings import PARTS, LabelledSettings
from rnn_jax.data.tables import FILE, FOLDER_COLUMNS, Block, Folder, Parquet, Table, open_table
from rnn_jax.errors import UserError

TEXT_NAMES = (
    *("text", "review", "sentence", "content", "comment", "message", "body", "tweet", "document"),
    *("description", "title"),
)
LABEL_NAMES = ("label", "labels", "class", "category", "sentiment", "target", "rating", "stars", "polarity")

log = logging.getLogger(__name__)


class FileRows(NamedTuple):
    """The rows of all files, and what is to be known of the training file."""

    rows: EncodedRows
    text_column: str
    label_type: str  # of its labels: see `rnn_jax.data.label_types`


def rows_of_files(settings: LabelledSettings, cache_dir: str | None) -> FileRows:
    """The rows of all files, from the cache where they are there and the files have not changed.

    Raises:
        UserError: if a file cannot be read, has no such column, has no rows, or changes meanwhile.
    """
    tables = {part: open_table(place) for part in PARTS if (place := getattr(settings, part))}
    columns = {part: columns_of(table, settings) for part, table in tables.items()}
    for part, table in tables.items():
        if isinstance(table, Folder):
            if table.passed_over:
                where = "LABEL/NAME.txt, and those of unlabelled texts"
                log.info(
                    "%s: %s files are passed over, all but %s", table.path, f"{table.passed_over:,}", where
                )
        else:
            log.info(
                "%s (%s): the text is in the column %r, the label in %r", table.path, part, *columns[part]
            )
    before = {part: identity(table.path) for part, table in tables.items()}

    def rows() -> Iterator[Rows]:
        for part, table in tables.items():
            read = 0
            for block in table.blocks(columns[part]):
                yield rows_of(block, columns[part], PARTS.index(part), table.path, read)
                read += len(block)
            if not read:
                empty = "no texts in its folders" if isinstance(table, Folder) else "no rows below its header"
                raise UserError(f"{table.path} has {empty}")
            if identity(table.path) != before[part]:
                raise UserError(f"{table.path} has changed while it was read: run the command again")

    size = sum(sum(entry[1] for entry in entries) for entries in before.values())
    places = {part: str(table.path.resolve()) for part, table in tables.items()}
    kept = kept_rows([places, columns], before, rows, size, cache.folders(None, cache_dir)[-1])
    return FileRows(kept, columns["train"][0], _label_type(tables["train"], columns["train"][1]))


def texts_of_file(settings: LabelledSettings, part: str) -> Iterator[tuple[str, str]]:
    """Where each row of a file is to be found, for people, and its text as it is written."""
    table = open_table(getattr(settings, part))
    text, _ = columns_of(table, settings)
    numbers = itertools.count(1)
    for block in table.blocks([text]):
        files = block.column(FILE) if isinstance(table, Folder) else [""] * len(block)
        for file, content in zip(files, block.column(text), strict=True):
            row = f"{table.path.name} row {next(numbers)}"
            yield file or row, content or ""


def _label_type(table: Table, column: str) -> str:
    """The type of the labels of a table, from its first ones."""
    first = next(table.blocks([column]), None)
    return type_of(first.column(column) if first else [])


def identity(path: Path) -> list[tuple[str, int, int]]:
    """What tells whether a file, or any in a folder, has changed: place, size and time of each.

    Raises:
        UserError: if one is gone.
    """
    files = sorted(path.rglob("*.txt")) if path.is_dir() else [path]
    try:
        return [
            (str(file.relative_to(path)), (stat := file.stat()).st_size, stat.st_mtime_ns) for file in files
        ]
    except FileNotFoundError as error:
        raise UserError(f"{error.filename} is gone: run the command again when all is there") from error


def rows_of(block: Block, columns: tuple[str, str], part: int, path: Path, before: int) -> Rows:
    """The texts and labels of a block of a table.

    Args:
        block: of the table.
        columns: of the text and of the label.
        part: which of several tables.
        path: of the table.
        before: how many rows there are before the block.

    Raises:
        UserError: if a text is not a string, or a label is a list or an object.
    """
    texts, labels = map(block.column, columns)
    for number, (text, label) in enumerate(zip(texts, labels, strict=True), before + 1):
        if not isinstance(text, str | None):
            kind = f"{columns[0]!r} of row {number} is a {type(text).__name__}"
            raise UserError(f"{path}: {kind}, and not a text: name another --text-column")
        if isinstance(label, str) and not label.isascii() and any("\ud800" <= c <= "\udfff" for c in label):
            raise UserError(
                f"{path}: {columns[1]!r} of row {number} holds half a character (a surrogate): mend it"
            )
        if isinstance(label, list | dict | bytes):
            kind = f"{columns[1]!r} of row {number} is a {type(label).__name__}"
            raise UserError(f"{path}: {kind}, and not a label: name another --label-column")
    return Rows([text or "" for text in texts], [name_of(label) for label in labels], part)


def columns_of(table: Table, settings: LabelledSettings) -> tuple[str, str]:
    """The columns of the text and of the label.

    Raises:
        UserError: if one is missing, or none is obvious; with those that there are.
    """
    if isinstance(table, Folder):
        return FOLDER_COLUMNS
    there = _columns(table, settings.text_column, settings.label_column)
    label = settings.label_column or _obvious(table, LABEL_NAMES, settings.text_column)
    text = settings.text_column or _obvious(table, TEXT_NAMES, label)
    if len(table.columns) == 2 and bool(text) != bool(label):  # the other one
        text = text or next(name for name in table.columns if name != label)
        label = label or next(name for name in table.columns if name != text)
    if text and text == label:
        raise UserError(f"{table.path}: {text!r} cannot be both text and label: name two columns of {there}")
    asked = ["--text-column"] * (not text) + ["--label-column"] * (not label)
    if asked:
        first = "" if isinstance(table, Parquet) else " (is that its header?)"
        raise UserError(
            f"{table.path}: name the columns with {' and '.join(asked)}; there are {there}{first}"
        )
    return text, label


def text_column_of(table: Table, name: str) -> str:
    """The column of the text, which has the given name, or an obvious one.

    Raises:
        UserError: if it is missing, or none is obvious; with those that there are.
    """
    there = _columns(table, name)
    found = name or _obvious(table, TEXT_NAMES, "") or (table.columns[0] if len(table.columns) == 1 else "")
    if not found:
        raise UserError(f"{table.path}: name the column of the text with --text-column; there are {there}")
    return found


def _columns(table: Table, *asked: str) -> str:
    """The columns of a table, in words; raises UserError if one that is asked for is not among them."""
    there = ", ".join(map(repr, table.columns)) or "none"
    for name in filter(None, asked):
        if name not in table.columns:
            raise UserError(f"{table.path} has no column {name!r}: its columns are {there}")
    return there


def _obvious(table: Table, names: Sequence[str], other: str) -> str:
    """The one column that has one of some names; "" where there is none, or several."""
    found = [column for column in table.columns if column.strip().lower() in names and column != other]
    return found[0] if len(found) == 1 else ""
