"""Trains a network that reads handwritten digits row by row or pixel by pixel, and evaluates it.

The same command again goes on where it was stopped, or reports a run that has finished. `--order pixels` and
`--order permuted` are what memory is measured by: 784 steps, and the answer is asked in the end.
"""

import math
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias, cast

from experiments.command_line import Place, run
from experiments.training import python, read_options
from experiments.vectors import Application, PredictOptions, answer
from rnn_jax.data.sources.digits import in_order
from rnn_jax.data.sources.images import read_digit
from rnn_jax.data.vectors import VectorPreprocessor
from rnn_jax.settings import with_flat
from rnn_jax.tasks import open_as
from rnn_jax.tasks.digits import RECIPE, Settings
from rnn_jax.tasks.vector_classifier import probabilities

# What reads single pixels: as wide and deep for each cell.
PIXELS = with_flat(
    Settings(), order="pixels", block="residual", num_layers=2, hidden_size=96, pooling="mean", epochs=10
)
PRESETS: dict[str, Settings] = {
    "rows": with_flat(Settings(), cell="gru", bidirectional=True, pooling="max", epochs=8),
    "logistic_regression": with_flat(Settings(), network="flat", pooling="max", dropout=0.0),
    "cnn": with_flat(Settings(), network="cnn", pooling="max"),
    **{
        f"{order}_{cell}": with_flat(PIXELS, order=order, cell=cell)
        for order in ("pixels", "permuted")
        for cell in ("lstm", "gru", "indrnn", "lru")
    },
}

if TYPE_CHECKING:
    PresetName: TypeAlias = str
else:
    PresetName = Literal[tuple(PRESETS)]


@dataclass(frozen=True, kw_only=True)
class Options(PredictOptions):
    """Trains a network that reads handwritten digits row by row or pixel by pixel, and evaluates it.

    The same command again goes on where it was stopped, or reports a run that has finished.
    """

    settings: Settings
    preset: PresetName = "rows"
    """Settings to start from; the options below change them."""
    predict: Place | None = None
    """Say which digit this image shows, by the trained run in --workdir: a PNG file in shades of grey, of any
    size."""


def predict(workdir: str, file: str) -> str:
    """Which digit an image shows, and the next best guess."""
    opened = open_as(RECIPE, workdir, unroll="dynamic")
    known = cast("VectorPreprocessor", opened.preprocessor)
    order = opened.settings.data.order
    side = known.size if order == "rows" else math.isqrt(known.max_length)
    [sequence] = in_order(read_digit(file, side)[None], order)
    return answer(file, known.labels, probabilities(opened, [sequence])[0])


def use(workdir: str) -> str:
    """How to use a run."""
    command = f"{python()} -m experiments.digits --workdir {shlex.quote(workdir)} --predict FILE.png"
    return f"Read a digit of your own:\n    {command}"


APPLICATION = Application(
    RECIPE,
    ("small", {"epochs": 40, "average_decay": 0.98}),  # a fiftieth of the images
    minutes="five minutes row by row, hours pixel by pixel",
    use=use,
    predict=predict,
    pictures={},
)


def main() -> int:
    """Trains, or reports what was trained, or reads an image."""
    return APPLICATION.run(read_options(Options, PRESETS, "rows"))


if __name__ == "__main__":
    run(main)
