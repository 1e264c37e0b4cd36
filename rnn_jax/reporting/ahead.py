"""Records of programs compiled for accelerators that were not there, and their tables."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from rnn_jax.reporting.rows import Record, read_rows
from rnn_jax.reporting.tables import markdown

UNROLLS = ("dynamic", "fused", "checkpointed", "parallel")


class Cost(NamedTuple):
    """What stands for time where nothing is measured."""

    field: str
    name: str


COSTS = {"tpu": Cost("cycles", "estimated cycles"), "cuda": Cost("launches", "launches")}


class Size(NamedTuple):
    """What the unrolls of one line have in common."""

    cell: str
    hidden: int
    batch: int
    time: int


def load_ahead(file: Path) -> list[Record]:
    """Reads the records; see `read_rows` for errors."""
    return read_rows(file, lambda row: (row["what"], row["platform"], row["topology"], row["status"]))


def layers_of(rows: Sequence[Record]) -> dict[Size, dict[str, Record]]:
    """The layers that were compiled, by size, then by unroll."""
    found: dict[Size, dict[str, Record]] = {}
    for row in rows:
        if row["what"] == "layer":
            found.setdefault(Size(*(row[name] for name in Size._fields)), {})[row["unroll"]] = row
    return found


def layers_table(rows: Sequence[Record], platform: str) -> str:
    """The cost of each unroll of a layer as a multiple of the plain scan's, and its temporary memory."""
    cost = COSTS[platform]
    head = ["cell", "H", "B", "T", f"dynamic, {cost.name}"]
    head += [f"{name}, times that" for name in UNROLLS[1:]] + [f"{name}, MB" for name in UNROLLS]
    lines = [head]
    for size, of in layers_of(rows).items():
        base = of["dynamic"]
        ratios = [_ratio(of.get(name), base, cost.field) for name in UNROLLS[1:]]
        memory = [f"{of[name]['temporary'] / 1e6:.3g}" if _is_ok(of.get(name)) else "" for name in UNROLLS]
        shown = f"{base[cost.field]:,}" if _is_ok(base) else base["status"]
        lines.append([size.cell, *map(str, size[1:]), shown, *ratios, *memory])
    return markdown(lines)


def _is_ok(row: Record | None) -> bool:
    return row is not None and row["status"] == "ok"


def _ratio(row: Record | None, base: Record, field: str) -> str:
    if row is None:
        return ""
    if not _is_ok(row) or not _is_ok(base):
        return "–"
    return f"{row[field] / base[field]:.3g}"


def runs_table(rows: Sequence[Record]) -> str:
    """A line a preset and topology: what a step of training needs of each device."""
    lines = [
        [
            "preset",
            "for",
            "examples a step",
            "memory, MB",
            "operations",
            "exchanged, MB",
            "launches",
            "cycles",
        ]
    ]
    for row in rows:
        if row["what"] != "run":
            continue
        start = [row["preset"], f"{row['devices']} × {row['chip']}", f"{row['batch_size']:,}"]
        if not _is_ok(row):
            lines.append([*start, row["status"], *[""] * 4])
            continue
        exchanged = sum(row["exchanged"].values()) / 1e6
        lines.append(
            [
                *start,
                f"{row['memory'] / 1e6:,.3g}",
                f"{row['operations'] / 1e9:,.3g} G",
                f"{exchanged:,.3g}",
                f"{row['launches']:,}",
                f"{row['cycles']:,}" if row["cycles"] else "–",
            ]
        )
    return markdown(lines)
