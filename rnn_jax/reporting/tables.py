"""The results table, in Markdown."""

import re
from collections.abc import Sequence
from statistics import mean, stdev

from rnn_jax.reporting.runs import Row

HEAD = (
    "network", "parameters", "validation %", "test %", "seeds", "best epoch", "training s", "reviews/s", "on"
)  # fmt: skip


def results_table(rows: Sequence[Row]) -> str:
    """One line a row: means over seeds, with the sample standard deviation of the test accuracy."""
    lines = [HEAD, ("---",) * len(HEAD), *map(_cells, rows)]
    return "".join("| " + " | ".join(line) + " |\n" for line in lines)


def commands(rows: Sequence[Row]) -> str:
    """The command of each row, and what it ran with."""
    return "".join(map(_command_line, rows))


def _command_line(row: Row) -> str:
    result = row.runs[0].result
    command = re.sub(r"(--seed |seed-)\d+", r"\1N", result["command"])
    seeds = ", ".join(map(str, row.values("seed")))
    commits = ", ".join(sorted({str(commit)[:12] for commit in row.values("commit")}))
    versions = ", ".join(f"{name} {version}" for name, version in result["versions"].items())
    return f"- {row.preset} on {_hardware(row)}: `{command}`, N = {seeds}; commit {commits}; {versions}\n"


def _cells(row: Row) -> tuple[str, ...]:
    result = row.runs[0].result
    synthetic = "" if result["dataset"] == "imdb" else f" ({result['dataset']} reviews)"
    return (
        f"{row.preset}{synthetic}",
        f"{result['parameters']:,}",
        f"{100 * mean(row.values('validation_accuracy')):.2f}",
        _mean_and_deviation([100 * accuracy for accuracy in row.values("test_accuracy")]),
        str(len(row.runs)),
        ", ".join(map(str, row.values("best_epoch"))),
        f"{mean(row.values('train_seconds')):.0f}",
        f"{mean(row.values('examples_per_second')):,.0f}",
        _hardware(row),
    )


def _mean_and_deviation(values: Sequence[float]) -> str:
    spread = f" ± {stdev(values):.2f}" if len(values) > 1 else ""
    return f"{mean(values):.2f}{spread}"


def _hardware(row: Row) -> str:
    hardware = row.runs[0].result["hardware"]
    return f"{hardware['num_devices']} × {hardware['device'].removesuffix(' Processor')}"
