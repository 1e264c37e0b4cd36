"""Rows of a benchmark as they are recorded: a JSON object a line."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rnn_jax.durable import write_whole
from rnn_jax.errors import UserError

Record = dict[str, Any]


def read_rows(file: Path, touch: Callable[[Record], Any]) -> list[Record]:
    """Reads a file of rows; there are none where it is not there yet.

    Args:
        file: the file.
        touch: reads what is needed of a row, and fails as reading fails where it is missing.

    Raises:
        UserError: if a line cannot be read, naming it.
    """
    rows: list[Record] = []
    if not file.exists():
        return rows
    for number, line in enumerate(file.read_bytes().splitlines(), start=1):
        try:
            row = json.loads(line)
            touch(row)
        except (ValueError, KeyError, TypeError) as error:
            raise UserError(f"{file}, line {number} cannot be read ({error!r}): delete that line") from error
        rows.append(row)
    return rows


def replace_rows(
    file: Path, recorded: list[Record], new: list[Record], what: Callable[[Record], Any]
) -> list[Record]:
    """Writes what was recorded, but for what is measured anew, and then the new rows; returns all of them.

    Args:
        file: the file.
        recorded: its rows, as they were.
        new: those to add.
        what: says of a row what it is a measurement of.
    """
    measured = [what(row) for row in new]
    rows = [row for row in recorded if what(row) not in measured] + new
    file.parent.mkdir(parents=True, exist_ok=True)
    write_whole(file, "".join(json.dumps(row) + "\n" for row in rows))
    return rows
