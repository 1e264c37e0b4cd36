"""Plots of recorded runs."""

import hashlib
import inspect
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from statistics import mean
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image

from rnn_jax.reporting.runs import Row

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")  # Okabe and Ito: for all eyes
FINGERPRINT = "Description"  # the field of a PNG that says what it shows


def training_curves(rows: Sequence[Row]) -> Figure:
    """Loss and accuracy over epochs, a colour a network: the mean of the seeds, and each seed thinly."""
    figure = Figure(figsize=(9, 3.8), layout="constrained")
    left, right = figure.subplots(1, 2)
    for colour, row in zip(COLOURS, rows, strict=False):
        _curves(left, row, "train_loss", colour, "--", label=None)
        _curves(left, row, "validation_loss", colour, "-", label=row.preset)
        _curves(right, row, "train_accuracy", colour, "--", label=None)
        _curves(right, row, "validation_accuracy", colour, "-", label=row.preset)
    left.set(xlabel="epoch", ylabel="cross-entropy (nats a review)", title="Loss")
    right.set(xlabel="epoch", ylabel="right answers (%)", title="Accuracy")
    for axes in (left, right):
        axes.grid(alpha=0.3)
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.spines[["top", "right"]].set_visible(False)
    left.plot([], [], "--", color="gray", label="training, with dropout")
    left.plot([], [], "-", color="gray", label="validation")
    left.legend(frameon=False)
    return figure


def _curves(axes: Axes, row: Row, name: str, colour: str, style: str, label: str | None) -> None:
    scale = 100 if name.endswith("accuracy") else 1
    curves = [[scale * epoch[name] for epoch in run.epochs] for run in row.runs]
    for curve in curves:
        axes.plot(range(1, len(curve) + 1), curve, style, color=colour, alpha=0.25, linewidth=0.8)
    shared = min(map(len, curves))
    means = [mean(curve[i] for curve in curves) for i in range(shared)]
    axes.plot(range(1, shared + 1), means, style, color=colour, label=label)


def test_accuracies(rows: Sequence[Row]) -> Figure:
    """Test accuracy of every seed, and the mean of each network."""
    figure = Figure(figsize=(7, 1.0 + 0.5 * len(rows)), layout="constrained")
    axes = figure.subplots()
    for place, (colour, row) in enumerate(zip(COLOURS * len(rows), rows, strict=False)):
        accuracies = [100 * accuracy for accuracy in row.values("test_accuracy")]
        axes.plot(accuracies, [place] * len(accuracies), "o", color=colour, alpha=0.7)
        axes.plot([mean(accuracies)] * 2, [place - 0.25, place + 0.25], color=colour, linewidth=2.5)
        axes.annotate(
            f"{mean(accuracies):.2f}", (mean(accuracies), place + 0.28), ha="center", va="bottom", fontsize=9
        )
    axes.set(xlabel="test accuracy (%): a dot a seed, a line at the mean", ylim=(-0.5, len(rows) - 0.2))
    axes.set_yticks(range(len(rows)), [f"{row.preset} ({row.platform})" for row in rows])
    axes.grid(axis="x", alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
    return figure


def fingerprint(rows: Sequence[Row]) -> str:
    """What a plot of these rows shows, as a hash of the records and of this file.

    Pixels differ between versions of matplotlib and its fonts; this does not.
    """
    shown = json.dumps([[run._asdict() for run in row.runs] for row in rows], sort_keys=True)
    drawn = inspect.getsource(sys.modules[__name__])
    return hashlib.sha256((shown + drawn).encode()).hexdigest()


def save(figure: Figure, path: Path, rows: Sequence[Row]) -> None:
    """Writes a PNG that carries its fingerprint."""
    path.parent.mkdir(parents=True, exist_ok=True)
    metadata: dict[str, Any] = {FINGERPRINT: fingerprint(rows), "Software": None}
    figure.savefig(path, dpi=100, metadata=metadata)


def shows(path: Path, rows: Sequence[Row]) -> bool:
    """Whether a file is a plot of these rows."""
    if not path.is_file():
        return False
    with Image.open(path) as image:
        return image.info.get(FINGERPRINT) == fingerprint(rows)
