"""Rows of the benchmark of data parallelism, and their table."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rnn_jax.errors import UserError
from rnn_jax.reporting.tables import markdown

FIXED = {"global": "whole batch", "device": "batch of a device"}
FIELDS = ("fixed", "devices", "batch", "seconds", "reviews_per_second")


def load_scaling(file: Path) -> list[dict[str, Any]]:
    """Reads the rows.

    Raises:
        UserError: if a line cannot be read, naming it.
    """
    rows = []
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), start=1):
        try:
            row = json.loads(line)
            rows.append({**row, **{field: row[field] for field in FIELDS}})
        except (ValueError, KeyError, TypeError) as error:
            raise UserError(f"{file}, line {number} cannot be read ({error!r}): run it again") from error
    return rows


def series(rows: Sequence[dict[str, Any]], fixed: str) -> list[dict[str, Any]]:
    """The rows with one thing fixed, by the number of devices."""
    return sorted((row for row in rows if row["fixed"] == fixed), key=lambda row: row["devices"])


def scaling_table(rows: Sequence[dict[str, Any]]) -> str:
    """A line a row, with its speed as a multiple of one device's."""
    lines: list[list[str]] = [["fixed", "devices", "batch", "ms a step", "reviews/s", "times one device"]]
    for fixed, name in FIXED.items():
        own = series(rows, fixed)
        for row in own:
            lines.append(
                [
                    *(name, str(row["devices"]), str(row["batch"]), f"{1e3 * row['seconds']:.1f}"),
                    f"{row['reviews_per_second']:,.0f}",
                    f"{row['reviews_per_second'] / own[0]['reviews_per_second']:.2f}",
                ]
            )
    return markdown(lines)
