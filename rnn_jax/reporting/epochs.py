"""Rows of the benchmark of whole epochs, and their table."""

from collections.abc import Sequence
from pathlib import Path
from statistics import median

from rnn_jax.reporting.rows import Record, read_rows
from rnn_jax.reporting.tables import markdown

GOAL = 0.87  # test accuracy, to which the time is told


def load_epochs(file: Path) -> list[Record]:
    """Reads the rows, a library and a network each; see `read_rows` for errors."""
    return read_rows(
        file,
        lambda row: (
            *(row["library"], row["config"]["max_length"], row["reviews"]),
            [(epoch["seconds"], epoch["test_accuracy"]) for epoch in row["epochs"]],
        ),
    )


def speed(row: Record) -> float | None:
    """Reviews a second: the median epoch after the first, which compiles."""
    later = [epoch["seconds"] for epoch in row["epochs"][1:]]
    return row["reviews"] / median(later) if later else None


def seconds_to_goal(row: Record) -> float | None:
    """Seconds of training, compilation included, until `GOAL` was reached; None where it was not."""
    seconds = 0.0
    for epoch in row["epochs"]:
        seconds += epoch["seconds"]
        if epoch["test_accuracy"] >= GOAL:
            return seconds
    return None


def epochs_table(rows: Sequence[Record]) -> str:
    """A line a row: by size, this project's first."""
    lines = [
        [
            *("library", "cell", "length", "E", "H", "rows", "padding %", "reviews/s"),
            *("first epoch s", "data %", f"s to {GOAL:.0%} test", "test % by epoch"),
        ]
    ]
    for row in sorted(rows, key=lambda row: (row["config"]["hidden_size"], row["library"] != "rnn_jax")):
        config, epochs = row["config"], row["epochs"]
        fastest, goal = speed(row), seconds_to_goal(row)
        waited = [epoch["data_seconds"] / epoch["seconds"] for epoch in epochs[1:] if epoch["data_seconds"]]
        lines.append(
            [
                *(row["library"], config["cell"], str(config["max_length"])),
                *(str(config["embedding_size"]), str(config["hidden_size"]), _rows(row)),
                f"{100 * row['padding']:.1f}" if row.get("padding") is not None else "–",
                f"{fastest:,.0f}" if fastest else "–",
                f"{epochs[0]['seconds']:.1f}",
                f"{100 * median(waited):.1f}" if waited else "–",
                f"{goal:.1f}" if goal else "not reached",
                ", ".join(f"{100 * epoch['test_accuracy']:.1f}" for epoch in epochs),
            ]
        )
    return markdown(lines)


def _rows(row: Record) -> str:
    """How the rows of a batch are filled, and how many there are."""
    config = row["config"]
    if row["library"] != "rnn_jax":
        kind = "padded to one length"
    elif config.get("packed"):
        kind = "packed"
    else:
        kind = f"padded to {config['buckets']} lengths"
    return f"{config['batch_size']}, {kind}"
