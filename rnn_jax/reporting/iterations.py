"""The iterations of Newton's method over time: the recorded counts, and their tables."""

from collections.abc import Sequence
from pathlib import Path
from statistics import mean

from rnn_jax.reporting.rows import Record, read_rows
from rnn_jax.reporting.tables import markdown

FIELDS = ("what", "cell", "length", "seed", "iterations", "converged")
OVER = {"weights": "scale", "training": "step"}  # what the counts of each kind are over


def load_iterations(file: Path) -> list[Record]:
    """Reads the rows; see `read_rows` for errors."""
    return read_rows(file, lambda row: [row[field] for field in (*FIELDS, OVER[row["what"]])])


def counts(rows: Sequence[Record], cell: str, over: str, **wanted: object) -> dict[float, list[Record]]:
    """The counts of every seed, by the size of weights or by the step of training."""
    found: dict[float, list[Record]] = {}
    for row in sorted((row for row in rows if over in row), key=lambda row: (row[over], row["seed"])):
        if row["cell"] == cell and all(row[name] == value for name, value in wanted.items()):
            found.setdefault(row[over], []).append(row)
    return found


def weights_table(rows: Sequence[Record]) -> str:
    """A line a cell and length, a column a size of the recurrent weights."""
    rows = [row for row in rows if row["what"] == "weights"]
    scales = sorted({row["scale"] for row in rows})
    lines = [["cell", "T", *(f"{scale:g} ×" for scale in scales)]]
    for cell, length in dict.fromkeys((row["cell"], row["length"]) for row in rows):
        found = counts(rows, cell, "scale", length=length)
        lines.append([cell, str(length), *(_shown(found.get(scale, [])) for scale in scales)])
    return markdown(lines)


def over_training_table(rows: Sequence[Record]) -> str:
    """A line a cell, a column a step of training."""
    rows = [row for row in rows if row["what"] == "training"]
    steps = sorted({row["step"] for row in rows})
    chosen = [step for step in steps if step in (0, 100, 500, 1000, 2000)]
    lines = [["cell", "T", *(f"{step:,} steps" for step in chosen)]]
    for cell, length in dict.fromkeys((row["cell"], row["length"]) for row in rows):
        found = counts(rows, cell, "step", length=length)
        lines.append([cell, str(length), *(_shown(found.get(step, [])) for step in chosen)])
    return markdown(lines)


def _shown(rows: Sequence[Record]) -> str:
    """The mean count, and the range; how many did not converge, where some did not."""
    if not rows:
        return ""
    numbers = [row["iterations"] for row in rows if row["converged"]]
    failed = len(rows) - len(numbers)
    if not numbers:
        return "none converged"
    shown = f"{mean(numbers):.3g}"
    if min(numbers) != max(numbers):
        shown += f" ({min(numbers)} to {max(numbers)})"
    return f"{shown}, {failed} of {len(rows)} did not" if failed else shown
