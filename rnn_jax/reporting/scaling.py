"""Rows of the benchmark of data parallelism, and their table."""

from collections.abc import Sequence
from pathlib import Path

from rnn_jax.reporting.rows import Record, read_rows
from rnn_jax.reporting.tables import markdown

FIXED = {"global": "whole batch", "device": "batch of a device"}
FIELDS = ("fixed", "devices", "batch", "seconds", "reviews_per_second")


def load_scaling(file: Path) -> list[Record]:
    """Reads the rows; see `read_rows` for errors."""
    return read_rows(file, lambda row: [row[field] for field in FIELDS])


def series(rows: Sequence[Record], fixed: str) -> list[Record]:
    """The rows with one thing fixed, by the number of devices."""
    return sorted((row for row in rows if row["fixed"] == fixed), key=lambda row: row["devices"])


def scaling_table(rows: Sequence[Record]) -> str:
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
