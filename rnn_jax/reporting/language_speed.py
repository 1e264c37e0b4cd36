"""Rows of the benchmark of language models, and their tables."""

import json
import math
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from statistics import median

from rnn_jax.reporting.rows import Record, read_rows
from rnn_jax.reporting.tables import markdown

PEER = "torch"  # whose speed others are told in
NETWORK = ("cell", "num_layers", "hidden_size")  # what tables tell of a network


def load_speeds(file: Path) -> list[Record]:
    """Reads the rows, a library and a network each; see `read_rows` for errors."""
    return read_rows(
        file,
        lambda row: (
            *(row["library"], row["vocabulary_size"], median(row["tokens_per_second"])),
            [row["config"][name] for name in (*NETWORK, "batch_size", "length", "softmax_samples")],
            row["hardware"]["num_devices"],
        ),
    )


def load_curves(file: Path) -> list[Record]:
    """Reads the rows, a library and a network each; see `read_rows` for errors."""
    return read_rows(
        file,
        lambda row: (
            *(row["library"], row["dataset"], [row["config"][name] for name in NETWORK]),
            min(epoch["seconds"] + epoch["validation_loss"] for epoch in row["epochs"]),
        ),
    )


def load_generation(file: Path) -> list[Record]:
    """Reads the rows, a length and a network each; see `read_rows` for errors."""
    return read_rows(
        file,
        lambda row: (
            *(row["length"], row["vocabulary_size"], median(row["seconds"])),
            [row["config"][name] for name in NETWORK],
        ),
    )


def network_of(row: Record) -> str:
    """A network, to be compared with others: all its settings."""
    return json.dumps(row["config"], sort_keys=True)


def perplexity(loss: float) -> float:
    """E to the loss of a token."""
    return math.exp(min(loss, 700.0))  # beyond, there is no such number


def speed_table(rows: Sequence[Record]) -> str:
    """A line a library and a network: tokens a second, the median of the turns and their range.

    V is the number of tokens of the softmax, or of those that are drawn from all for each step. The ratio is
    to PyTorch, where that took turns with the other on the same network.
    """
    lines = [["library", "cell", "layers", "H", "V", "B", "T", "tokens/s", "range", f"× {PEER}", "devices"]]
    peers = {network_of(row): median(row["tokens_per_second"]) for row in rows if row["library"] == PEER}
    for row in rows:
        config, speeds = row["config"], row["tokens_per_second"]
        peer = peers.get(network_of(row))
        drawn = f"{config['softmax_samples']:,} of " if config["softmax_samples"] else ""
        lines.append(
            [
                *(row["library"], *_network(row), f"{drawn}{row['vocabulary_size']:,}"),
                *(str(config["batch_size"]), str(config["length"]), f"{median(speeds):,.0f}"),
                f"{min(speeds):,.0f} to {max(speeds):,.0f}",
                f"{median(speeds) / peer:.2f}" if peer else "–",
                str(row["hardware"]["num_devices"]),
            ]
        )
    return markdown(lines)


def curve_table(rows: Sequence[Record]) -> str:
    """A line a library and a network: how long an epoch takes, and how good it became when."""
    lines = [["library", "text", "cell", "layers", "H", "s an epoch", "perplexity", "after s", "by epoch"]]
    for row in rows:
        epochs = row["epochs"]
        best = min(epochs, key=lambda epoch: epoch["validation_loss"])
        ends = [0.0, *(epoch["seconds"] for epoch in epochs)]
        each = [end - start for start, end in pairwise(ends)]
        lines.append(
            [
                *(row["library"], row["dataset"], *_network(row)),
                f"{median(each[1:] or each):.1f}",  # the first compiles
                *(f"{perplexity(best['validation_loss']):.2f}", f"{best['seconds']:.1f}"),
                ", ".join(f"{perplexity(epoch['validation_loss']):.2f}" for epoch in epochs),
            ]
        )
    return markdown(lines)


def generation_table(rows: Sequence[Record]) -> str:
    """A line a length and a network: seconds, the median of the turns, and milliseconds a token."""
    lines = [["cell", "layers", "H", "V", "length", "seconds", "ms a token"]]
    for row in rows:
        seconds = median(row["seconds"])
        lines.append(
            [
                *(*_network(row), f"{row['vocabulary_size']:,}", str(row["length"])),
                *(f"{seconds:.3f}", f"{1e3 * seconds / row['length']:.3f}"),
            ]
        )
    return markdown(lines)


def _network(row: Record) -> list[str]:
    return [str(row["config"][name]) for name in NETWORK]
