"""What cells remember: the recorded cases, and their table."""

from collections.abc import Sequence
from pathlib import Path
from statistics import mean

from rnn_jax.reporting.rows import Record, read_rows
from rnn_jax.reporting.tables import markdown

FIELDS = (
    *("cell", "task", "length", "seed", "hidden", "batch", "steps", "learning_rate", "score"),
    "gradient_norms",
)


def load_memory(file: Path) -> list[Record]:
    """Reads the rows; see `read_rows` for errors."""
    return read_rows(file, lambda row: [row[field] for field in FIELDS])


def scores(rows: Sequence[Record], task: str, cell: str) -> dict[int, list[float]]:
    """The score of every seed, by length."""
    found: dict[int, list[float]] = {}
    for row in sorted(rows, key=lambda row: (row["length"], row["seed"])):
        if (row["task"], row["cell"]) == (task, cell):
            found.setdefault(row["length"], []).append(row["score"])
    return found


def memory_table(rows: Sequence[Record]) -> str:
    """A line a task and cell, a column a length: the mean score in %, and the seeds' range."""
    lengths = sorted({row["length"] for row in rows})
    lines = [["task", "cell", *(f"{length} steps" for length in lengths)]]
    for task in dict.fromkeys(row["task"] for row in rows):
        for cell in dict.fromkeys(row["cell"] for row in rows if row["task"] == task):
            found = scores(rows, task, cell)
            lines.append([task, cell, *(_percent(found.get(length, [])) for length in lengths)])
    return markdown(lines)


def _percent(values: Sequence[float]) -> str:
    if not values:
        return ""
    low, middle, high = (round(100 * value) for value in (min(values), mean(values), max(values)))
    return f"{middle}" if low == high else f"{middle} ({low} to {high})"
