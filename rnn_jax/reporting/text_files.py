"""Rows of the benchmark of files of texts, and their tables."""

from collections.abc import Sequence
from pathlib import Path

from rnn_jax.reporting.rows import Record, read_rows
from rnn_jax.reporting.tables import markdown

FIELDS = ("what", "library", "rows", "seconds")


def load_text_files(file: Path) -> list[Record]:
    """Reads the rows; see `read_rows` for errors."""
    return read_rows(file, lambda row: [row[field] for field in FIELDS])


def text_files_table(rows: Sequence[Record]) -> str:
    """A line a measurement."""
    lines: list[list[str]] = [["what", "library", "rows", "MB", "seconds", "rows/s", "peak memory MB"]]
    for row in rows:
        # Workers are measured together: the largest counts for each of them.
        peak = row.get("peak_bytes", 0) + row.get("cores", 0) * row.get("peak_bytes_of_a_worker", 0)
        lines.append(
            [
                *(row["what"], row["library"], f"{row['rows']:,}"),
                f"{row['bytes'] / 1e6:,.0f}" if "bytes" in row else "–",
                f"{row['seconds']:.1f}",
                f"{row['rows'] / row['seconds']:,.0f}",
                f"{peak / 1e6:,.0f}" if peak else "–",
            ]
        )
    return markdown(lines)
