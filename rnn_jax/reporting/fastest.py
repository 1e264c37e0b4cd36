"""Which unroll trains a layer fastest, by platform, cell and size: the table that `--unroll auto` goes by."""

import json
from collections.abc import Callable, Mapping, Sequence

from rnn_jax.reporting.ahead import COSTS, layers_of
from rnn_jax.reporting.benchmark import by_size
from rnn_jax.reporting.rows import Record
from rnn_jax.unroll.auto import CHOICES, Fastest

WORTH = 0.95  # of the time of the usual unroll: what gains less is not chosen


def fastest_of(costs: Mapping[str, float]) -> str:
    """The unroll with the least cost; `fused`, or else `dynamic`, where no other gains much."""
    usual = "fused" if "fused" in costs else "dynamic"
    least = min(costs, key=lambda name: costs[name])
    return least if costs[least] < WORTH * costs[usual] else usual


def measured(rows: Sequence[Record], platform: str) -> list[Fastest]:
    """A line for each size at which training in float32 was measured by several of the unrolls."""
    found = []
    for (case, keep_memory), methods in by_size(rows).items():
        costs = {
            name: row["seconds"] for name, row in methods.items() if name in CHOICES and row["status"] == "ok"
        }
        if case.mode == "training" and case.precision == "float32" and keep_memory and "dynamic" in costs:
            size = case.hidden, case.batch, case.time
            found.append(Fastest(platform, case.cell, *size, fastest_of(costs), "measured"))
    return found


def estimated(rows: Sequence[Record], platform: str) -> list[Fastest]:
    """A line for each size that was compiled for a platform, from what stands for time there."""
    cost, found = COSTS[platform], []
    for size, unrolls in layers_of(rows).items():
        costs = {name: row[cost.field] for name, row in unrolls.items() if row["status"] == "ok"}
        if "dynamic" in costs:
            found.append(Fastest(platform, *size, fastest_of(costs), "estimated"))
    return found


def as_file(lines: Sequence[Fastest]) -> str:
    """The table as a file: a JSON list, a line each; what was measured takes the place of an estimate."""
    by_place: dict[tuple[object, ...], Fastest] = {}
    order: Callable[[Fastest], bool] = lambda line: line.known == "measured"  # noqa: E731
    for line in sorted(lines, key=order):
        by_place[line[:5]] = line
    return "[\n" + ",\n".join(json.dumps(line) for line in sorted(by_place.values())) + "\n]\n"
