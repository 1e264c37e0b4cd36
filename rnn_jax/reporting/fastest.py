"""Which unroll trains a layer fastest, by platform, cell and size: the table that `--unroll auto` goes by."""

import json
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Literal

from rnn_jax.cells import CELLS
from rnn_jax.platforms import Platform
from rnn_jax.reporting.ahead import COSTS, layers_of
from rnn_jax.reporting.benchmark import by_size
from rnn_jax.reporting.rows import Record
from rnn_jax.unroll.auto import CHOICES, Fastest, usual

WORTH = {"measured": 0.9, "estimated": 0.95}  # of the cost of the usual unroll: what gains less is not chosen


def fastest_of(costs: Mapping[str, float], default: str, known: Literal["measured", "estimated"]) -> str:
    """The unroll with the least cost; the default, if it ran, where no other gains much."""
    least = min(costs, key=lambda name: costs[name])
    return least if costs[least] < WORTH[known] * costs.get(default, math.inf) else default


def measured(rows: Sequence[Record], platform: Platform) -> list[Fastest]:
    """A line for each size at which training in float32 was measured, by the usual unroll and by others."""
    found = []
    for (case, keep_memory), methods in by_size(rows).items():
        costs = {
            name: row["seconds"] for name, row in methods.items() if name in CHOICES and row["status"] == "ok"
        }
        default = usual(platform, CELLS[case.cell])
        usable = case.mode == "training" and case.precision == "float32" and case.directions == 1
        if usable and keep_memory and default in methods and costs:
            size = case.hidden, case.batch, case.time
            chosen = fastest_of(costs, default, "measured")
            found.append(Fastest(platform, case.cell, *size, chosen, "measured"))
    return found


def estimated(rows: Sequence[Record], platform: Platform) -> list[Fastest]:
    """A line for each size that was compiled for a platform, from what stands for time there."""
    cost, found = COSTS[platform], []
    for size, unrolls in layers_of(rows).items():
        costs = {
            name: row[cost.field]
            for name, row in unrolls.items()
            if name in CHOICES and row["status"] == "ok"
        }
        default = usual(platform, CELLS[size.cell])
        if default in unrolls and costs:
            chosen = fastest_of(costs, default, "estimated")
            found.append(Fastest(platform, *size, chosen, "estimated"))
    return found


def as_file(lines: Sequence[Fastest]) -> str:
    """The table as a file: a JSON list, a line each; what was measured takes the place of an estimate."""
    by_place: dict[tuple[object, ...], Fastest] = {}
    order: Callable[[Fastest], bool] = lambda line: line.known == "measured"  # noqa: E731
    for line in sorted(lines, key=order):
        by_place[line[:5]] = line
    return "[\n" + ",\n".join(json.dumps(line) for line in sorted(by_place.values())) + "\n]\n"
