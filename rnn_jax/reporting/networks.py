"""Kinds of networks compared: rows of what they cost and what they make of the order of words, and tables."""

from collections.abc import Sequence
from pathlib import Path
from statistics import mean

from rnn_jax.reporting.rows import Record, read_rows
from rnn_jax.reporting.tables import markdown, mean_and_deviation

AS_WRITTEN = 0  # the block of reviews that were not shuffled


def load_costs(file: Path) -> list[Record]:
    """Reads the rows of costs; see `read_rows` for errors."""
    fields = ("network", "length", "batch", "step_seconds", "temporary_bytes")
    return read_rows(file, lambda row: [row[field] for field in fields])


def load_orders(file: Path) -> list[Record]:
    """Reads the rows of word orders; see `read_rows` for errors."""
    return read_rows(file, lambda row: [row[field] for field in ("network", "seed", "block", "accuracy")])


def networks_of(rows: Sequence[Record]) -> list[str]:
    """The networks, in the order of their rows."""
    return list(dict.fromkeys(row["network"] for row in rows))


def accuracies(rows: Sequence[Record], network: str) -> dict[int, list[float]]:
    """In %, of every seed, by the size of blocks; as written first."""
    found: dict[int, list[float]] = {}
    for row in sorted(rows, key=lambda row: (row["block"], row["seed"])):
        if row["network"] == network:
            found.setdefault(row["block"], []).append(100 * row["accuracy"])
    return found


def costs_table(rows: Sequence[Record]) -> str:
    """A line a network, a column a length: milliseconds a step of training, and temporary memory."""
    lengths = sorted({row["length"] for row in rows})
    lines = [["network", *(f"T = {length}" for length in lengths)]]
    for network in networks_of(rows):
        own = {row["length"]: row for row in rows if row["network"] == network}
        lines.append([network, *(_cost(own[length]) if length in own else "" for length in lengths)])
    return markdown(lines)


def _cost(row: Record) -> str:
    return f"{1e3 * row['step_seconds']:.3g} ms, {row['temporary_bytes'] / 1e6:.3g} MB"


def orders_table(rows: Sequence[Record]) -> str:
    """A line a network, a column a size of blocks: accuracy in %, as written with the seeds' deviation."""
    blocks = sorted({row["block"] for row in rows} - {AS_WRITTEN})
    lines = [["network", "as written", *(f"blocks of {block}" for block in blocks)]]
    for network in networks_of(rows):
        found = accuracies(rows, network)
        shuffled = (f"{mean(found[block]):.2f}" if block in found else "" for block in blocks)
        lines.append([network, mean_and_deviation(found.get(AS_WRITTEN, [])), *shuffled])
    return markdown(lines)
