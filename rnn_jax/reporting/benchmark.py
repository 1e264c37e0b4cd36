"""Rows of the benchmark of unrolls, and their tables."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from rnn_jax.measuring.case import Case
from rnn_jax.reporting.rows import Record, read_rows
from rnn_jax.reporting.tables import markdown

PEERS = ("flax", "torch", "keras")
AT_ONCE = ("parallel", "newton")  # methods that take all steps at once


class Size(NamedTuple):
    """What the methods of one line of a table have in common."""

    case: Case
    keep_memory: bool


Rows = dict[Size, dict[str, Record]]  # by size, then by method


def load_benchmark(file: Path) -> list[Record]:
    """Reads the rows of a benchmark; see `read_rows` for errors."""
    return read_rows(
        file, lambda row: (Case(**row["case"]), row["method"], row["status"], row["keep_memory"])
    )


def by_size(rows: Sequence[Record]) -> Rows:
    """Rows by what was measured, then by method; sizes in order."""
    found: Rows = {}
    for row in rows:
        found.setdefault(Size(Case(**row["case"]), row["keep_memory"]), {})[row["method"]] = row
    return dict(sorted(found.items(), key=lambda item: _order(item[0])))


def split_at_once(rows: Sequence[Record]) -> tuple[list[Record], list[Record]]:
    """The rows of all other cells, and those of sizes at which all steps were taken at once, too."""
    sizes = {Size(Case(**row["case"]), row["keep_memory"]) for row in rows if row["method"] in AT_ONCE}
    found = [Size(Case(**row["case"]), row["keep_memory"]) in sizes for row in rows]
    return (
        [row for row, chosen in zip(rows, found, strict=True) if not chosen],
        [row for row, chosen in zip(rows, found, strict=True) if chosen],
    )


def methods_in(rows: Rows) -> list[str]:
    """All methods, ours before those of others."""
    methods = {method for of in rows.values() for method in of}
    return sorted(methods, key=lambda method: (method in PEERS, method.split("-")[0], len(method), method))


def benchmark_table(rows: Sequence[Record]) -> str:
    """Three tables, a line a size: milliseconds a run, seconds to compile, megabytes of temporary memory."""
    found = by_size(rows)
    parts = [
        ("Milliseconds a run: medians, the fastest in bold", lambda row: 1e3 * row["seconds"]),
        ("Seconds to trace and compile", lambda row: row["compile_seconds"]),
        ("Megabytes of temporary memory on one device", lambda row: _megabytes(row["temporary_bytes"])),
    ]
    return "\n".join(f"### {title}\n\n{_table(found, figure)}" for title, figure in parts)


def training_table(rows: Sequence[Record]) -> str:
    """Milliseconds of one step of training, a line a size."""
    found = by_size([row for row in rows if row["case"]["mode"] == "training"])
    return _table(found, lambda row: 1e3 * row["seconds"])


def at_once_table(rows: Sequence[Record]) -> str:
    """Milliseconds of the forward pass and of training, one step after the other and all at once."""
    return _table(by_size(rows), lambda row: 1e3 * row["seconds"])


def _table(rows: Rows, figure: Callable[[Record], float | None]) -> str:
    methods = methods_in(rows)
    lines: list[list[str]] = [["cell", "mode", "precision", "memory", "H", "B", "T", *methods]]
    for (case, keep_memory), of in rows.items():
        figures = {method: figure(row) for method, row in of.items() if row["status"] == "ok"}
        least = min((value for value in figures.values() if value is not None), default=None)
        lines.append(
            [
                *(case.layer, case.mode, case.precision, "kept" if keep_memory else "returned"),
                *map(str, (case.hidden, case.batch, case.time)),
                *(_cell(of.get(method), figures.get(method), least) for method in methods),
            ]
        )
    return markdown(lines)


def _cell(row: Record | None, figure: float | None, least: float | None) -> str:
    if row is None:
        return ""
    if row["status"] != "ok":
        return row["status"].split(":")[0]
    if figure is None:
        return "–"
    text = f"{figure:.3g}" if figure < 1000 else f"{figure:.0f}"
    return f"**{text}**" if figure == least else text


def _megabytes(count: int | None) -> float | None:
    return None if count is None else count / 2**20


def _order(size: Size) -> tuple[Any, ...]:
    case = size.case
    return case.precision, not size.keep_memory, case.layer, case.mode, case.hidden, case.batch, case.time
