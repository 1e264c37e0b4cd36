"""Rows of the benchmark of whole epochs, and their table."""

import json
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

from rnn_jax.errors import UserError
from rnn_jax.reporting.tables import markdown

GOAL = 0.87  # test accuracy, to which the time is told


def load_epochs(file: Path) -> list[dict[str, Any]]:
    """Reads the rows, a library and a network each; none where the file is not there yet.

    Raises:
        UserError: if a line cannot be read, naming it.
    """
    rows: list[dict[str, Any]] = []
    if not file.exists():
        return rows
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), start=1):
        try:
            row = json.loads(line)
            row["library"], row["config"]["max_length"], row["reviews"]
            [(epoch["seconds"], epoch["test_accuracy"]) for epoch in row["epochs"]]
        except (ValueError, KeyError, TypeError) as error:
            raise UserError(f"{file}, line {number} cannot be read ({error!r}): delete that line") from error
        rows.append(row)
    return rows


def speed(row: dict[str, Any]) -> float | None:
    """Reviews a second: the median epoch after the first, which compiles."""
    later = [epoch["seconds"] for epoch in row["epochs"][1:]]
    return row["reviews"] / median(later) if later else None


def seconds_to_goal(row: dict[str, Any]) -> float | None:
    """Seconds of training, compilation included, until `GOAL` was reached; None where it was not."""
    seconds = 0.0
    for epoch in row["epochs"]:
        seconds += epoch["seconds"]
        if epoch["test_accuracy"] >= GOAL:
            return seconds
    return None


def epochs_table(rows: Sequence[dict[str, Any]]) -> str:
    """A line a row."""
    lines = [
        [
            *("library", "cell", "length", "E", "H", "reviews/s", "first epoch s", "data %"),
            *(f"s to {GOAL:.0%} test", "test % by epoch"),
        ]
    ]
    for row in rows:
        config, epochs = row["config"], row["epochs"]
        fastest, goal = speed(row), seconds_to_goal(row)
        waited = [epoch["data_seconds"] / epoch["seconds"] for epoch in epochs[1:] if epoch["data_seconds"]]
        lines.append(
            [
                *(row["library"], config["cell"], str(config["max_length"])),
                *(str(config["embedding_size"]), str(config["hidden_size"])),
                f"{fastest:,.0f}" if fastest else "–",
                f"{epochs[0]['seconds']:.1f}",
                f"{100 * median(waited):.1f}" if waited else "–",
                f"{goal:.1f}" if goal else "not reached",
                ", ".join(f"{100 * epoch['test_accuracy']:.1f}" for epoch in epochs),
            ]
        )
    return markdown(lines)
