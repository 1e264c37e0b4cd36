"""The results table, in Markdown."""

import re
from collections.abc import Iterable, Sequence
from statistics import mean, stdev

from rnn_jax.reporting.runs import Row, Run

HEAD = (
    "network", "hidden size", "parameters", "validation %", "test %", "seeds", "best epoch", "training s",
    "reviews/s", "on",
)  # fmt: skip


def results_table(rows: Sequence[Row]) -> str:
    """One line a row: means over seeds, with the sample standard deviation of the test accuracy."""
    return markdown([HEAD, *map(_cells, rows)])


def markdown(lines: Iterable[Sequence[str]]) -> str:
    """A table in Markdown; the first line is its head."""
    head, *body = lines
    return "".join("| " + " | ".join(line) + " |\n" for line in (head, ["---"] * len(head), *body))


def commands(rows: Sequence[Row]) -> str:
    """The command of each row, and what it ran with: several lines where its seeds were run differently."""
    lines = []
    for row in rows:
        seeds: dict[tuple[str, str], list[str]] = {}
        for run in row.runs:
            seeds.setdefault(_origin(run), []).append(str(run.result["seed"]))
        lines += [
            f"- {row.name} on {command}, N = {', '.join(own)}; {made_with}\n"
            for (command, made_with), own in seeds.items()
        ]
    return "".join(lines)


def hardware(rows: Iterable[Row]) -> str:
    """The devices that the runs of some rows were recorded on."""
    return " / ".join(dict.fromkeys(_devices(run) for row in rows for run in row.runs))


def _origin(run: Run) -> tuple[str, str]:
    """Where, how and with what a run was made, its seed aside."""
    command = re.sub(r"(--seed[ =]|seed-)\d+", r"\1N", run.result["command"])
    versions = ", ".join(f"{name} {version}" for name, version in run.result["versions"].items())
    return f"{_devices(run)}: `{command}`", f"commit {str(run.result['commit'])[:12]}; {versions}"


def _cells(row: Row) -> tuple[str, ...]:
    return (
        row.name,
        _distinct(row.runs[0].config["hidden_size"]),
        _distinct(*row.values("parameters")),
        f"{100 * mean(row.values('validation_accuracy')):.2f}",
        mean_and_deviation([100 * accuracy for accuracy in row.values("test_accuracy")]),
        str(len(row.runs)),
        ", ".join(map(str, row.values("best_epoch"))),
        f"{mean(row.values('train_seconds')):.0f}",
        f"{mean(row.values('examples_per_second')):,.0f}",
        hardware([row]),
    )


def _distinct(*counts: int) -> str:
    return " / ".join(f"{count:,}" for count in sorted(set(counts)))


def mean_and_deviation(values: Sequence[float]) -> str:
    """The mean with the sample standard deviation, where there is more than one value; `""` for none."""
    if not values:
        return ""
    spread = f" ± {stdev(values):.2f}" if len(values) > 1 else ""
    return f"{mean(values):.2f}{spread}"


def _devices(run: Run) -> str:
    devices = run.result["hardware"]
    return f"{devices['num_devices']} × {devices['device'].removesuffix(' Processor')}"
