"""Rows of the benchmark of the parts of training, and their table."""

from collections.abc import Sequence
from pathlib import Path

from rnn_jax.reporting.rows import Record, read_rows
from rnn_jax.reporting.tables import markdown


def load_parts(file: Path) -> list[Record]:
    """Reads the rows, a layer each; see `read_rows` for errors."""
    return read_rows(
        file,
        lambda row: (row["case"]["cell"], [(p["name"], p["seconds"], p["gflops"]) for p in row["parts"]]),
    )


def parts_table(rows: Sequence[Record]) -> str:
    """A line a layer: milliseconds of each part, with its GFLOP/s."""
    names = list(dict.fromkeys(part["name"] for row in rows for part in row["parts"]))
    lines = [["cell", "precision", "H", "B", "T", *names]]
    for row in rows:
        case, parts = row["case"], {part["name"]: part for part in row["parts"]}
        lines.append(
            [
                *(case["cell"], case["precision"]),
                *map(str, (case["hidden"], case["batch"], case["time"])),
                *(_cell(parts[name]) if name in parts else "" for name in names),
            ]
        )
    return markdown(lines)


def _cell(part: Record) -> str:
    milliseconds = f"{1e3 * part['seconds']:.3g}"
    return f"{milliseconds} ms" + (f", {part['gflops']:.0f} GFLOP/s" if part["gflops"] else "")
