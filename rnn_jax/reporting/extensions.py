"""Rows of the benchmark of what is around a recurrent layer, and their table."""

from collections.abc import Sequence
from pathlib import Path

from rnn_jax.reporting.rows import Record, read_rows
from rnn_jax.reporting.tables import markdown


def load_extensions(file: Path) -> list[Record]:
    """Reads the rows, a layer and an unroll each; see `read_rows` for errors."""
    sizes = ("cell", "hidden", "batch", "time")
    return read_rows(
        file, lambda row: (row["unroll"], row["seconds"]["plain"], [row["case"][name] for name in sizes])
    )


def extensions_table(rows: Sequence[Record]) -> str:
    """A line a row: milliseconds without anything, and with each extension that as a multiple."""
    names = list(dict.fromkeys(name for row in rows for name in row["seconds"] if name != "plain"))
    lines = [["cell", "unroll", "H", "B", "T", "plain, ms", *names]]
    for row in rows:
        case, seconds = row["case"], row["seconds"]
        lines.append(
            [
                *(case["cell"], row["unroll"], str(case["hidden"]), str(case["batch"]), str(case["time"])),
                f"{1e3 * seconds['plain']:.3g}",
                *(f"{seconds[name] / seconds['plain']:.2f}" if name in seconds else "–" for name in names),
            ]
        )
    return markdown(lines)
