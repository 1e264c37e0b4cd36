"""Records of programs compiled for accelerators that were not there, and their tables."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from rnn_jax.ahead.scaling import V5E, step
from rnn_jax.reporting.rows import Record, read_rows
from rnn_jax.reporting.tables import markdown

DEVICES = (8, 64, 256, 1024, 4096)  # of the model of scaling
UNROLLS = ("dynamic", "fused", "hoisted", "checkpointed", "parallel", "newton")


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


def load_input(file: Path) -> list[Record]:
    """Reads the records of how fast a host makes batches; see `read_rows` for errors."""
    return read_rows(file, lambda row: (row["reviews_per_second"], row["config"]))


def input_table(rows: Sequence[Record]) -> str:
    """How many reviews a second one process makes batches of, by what a batch holds."""
    lines = [["words at most", "log-count ratios up to", "reviews a batch", "reviews/s", "on"]]
    for row in rows:
        config = row["config"]
        ratios = f"{config['log_count_ratios']} words" if config["log_count_ratios"] else "none"
        shown = str(config["max_length"]), ratios, str(config["batch_size"])
        lines.append([*shown, f"{row['reviews_per_second']:,.0f}", row["hardware"]["device"]])
    return markdown(lines)


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
    """A line a preset and topology: what a step of training needs of each device.

    Cycles have a column where a compiler estimates them.
    """
    runs = [row for row in rows if row["what"] == "run"]
    estimated = any(_is_ok(row) and row["cycles"] for row in runs)
    names = ("examples a step", "memory, MB", "operations", "exchanged, MB", "launches")
    lines = [["preset", "for", *names, *["cycles"] * estimated]]
    for row in runs:
        start = [row["preset"], f"{row['devices']} × {row['chip']}", f"{row['batch_size']:,}"]
        if not _is_ok(row):
            lines.append([*start, row["status"], *[""] * (3 + estimated)])
            continue
        exchanged = sum(row["exchanged"].values()) / 1e6
        figures = [
            f"{row['memory'] / 1e6:,.3g}",
            f"{row['operations'] / 1e9:,.3g} G",
            f"{exchanged:,.3g}",
            f"{row['launches']:,}",
            *[f"{row['cycles']:,}" if row["cycles"] else "–"] * estimated,
        ]
        lines.append([*start, *figures])
    return markdown(lines)


def model_table(rows: Sequence[Record]) -> str:
    """A line a network and batch of a device: how efficient many would be, and what a host must deliver.

    Of networks that were compiled for one TPU v5e and for several; see `rnn_jax.ahead.scaling` for the model.
    """
    runs = [row for row in rows if row["what"] == "run" and _is_ok(row)]
    exchanged = {row["preset"]: sum(row["exchanged"].values()) for row in runs if row["devices"] > 1}
    head = ["network", "examples of a device", "work, ms", "gradients, MB"]
    head += [f"efficiency of {count:,} devices" for count in DEVICES] + ["reviews/s that a host must deliver"]
    lines = [head]
    for row in runs:
        if row["devices"] != 1 or row["preset"] not in exchanged:
            continue
        size, batch = exchanged[row["preset"]], row["batch_size"]
        steps = [step(V5E, row["cycles"], size, count) for count in DEVICES]
        lines.append(
            [
                *(row["preset"], f"{batch:,}", f"{1e3 * steps[0].work:.3g}", f"{size / 1e6:.3g}"),
                *(f"{100 * each.efficiency:.1f} %" for each in steps),
                f"{steps[0].examples_of_a_host(V5E, batch):,.0f}",
            ]
        )
    return markdown(lines)
