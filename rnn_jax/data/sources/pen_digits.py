"""Handwritten digits as the path of a pen: eight points each.

F. Alimoglu and E. Alpaydin, "Combining Multiple Representations and Classifiers for Pen-based Handwritten
Digit Recognition", ICDAR 1997; in the UCI repository, "Pen-Based Recognition of Handwritten Digits", CC BY
4.0. 44 people wrote 250 digits each: 7,494 digits are by thirty of them, and the 3,498 to be tested on by the
others. Which of the thirty wrote what is not told, so that validation is by people who are learnt from.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from rnn_jax.data.examples import hold_out
from rnn_jax.data.prepared import data_directory, is_prepared, read_examples
from rnn_jax.data.sources.digits import LABELS
from rnn_jax.data.vectors import LabelledVectors, Vectors

FOLDER = "pendigits/1.0.0"
POINTS, SIZE = 8, 100  # of a digit; its width and its height
VALIDATION = 0.1  # of the training digits
SEED = 1998  # of what is held out, and of the made-up digits


@dataclass(frozen=True)
class PenDigitSettings:
    """Which digits."""

    dataset: Literal["auto", "pendigits", "synthetic"] = "auto"
    """pendigits, or synthetic: made-up signs, a curve each; auto: pendigits where it is prepared."""


def load(settings: PenDigitSettings, data_dir: str | None = None) -> LabelledVectors:
    """The digits; a tenth of the training digits, as many of each digit as of all, is for validation.

    Raises:
        UserError: if they are not at hand.
    """
    name = settings.dataset
    if name == "auto":
        name = "pendigits" if is_prepared(data_directory(data_dir) / FOLDER) else "synthetic"
    training, test = read(data_dir) if name == "pendigits" else synthetic()
    held = hold_out(training.labels, VALIDATION, SEED)
    learnt, validation = (training.take(np.flatnonzero(chosen)) for chosen in (~held, held))
    return LabelledVectors(name, LABELS, learnt, validation, test)


def read(data_dir: str | None = None) -> tuple[Vectors, Vectors]:
    """The 7,494 training and 3,498 test digits, as TFDS has prepared them."""

    def split(name: str) -> Vectors:
        examples = read_examples(data_directory(data_dir) / FOLDER, name)
        points = [each["points"].astype(np.float32) for each in examples]
        return Vectors(points, np.array([each["label"] for each in examples]))

    return split("train"), split("test")


def resample(path: NDArray[np.floating]) -> NDArray[np.float32]:
    """A path of a pen as the dataset has it: `[N, 2] -> [8, 2]`, y upward.

    Eight points, equally far from each other along the path, in a frame of 100 by 100 that they fill.

    Raises:
        ValueError: if they have no width or no height.

    Example:
        >>> resample(np.array([[0, 0], [0, 7], [7, 7]]))[:4].round().tolist()
        [[0.0, 0.0], [0.0, 29.0], [0.0, 57.0], [0.0, 86.0]]
    """
    gone = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(path, axis=0), axis=1))])
    at = np.linspace(0, gone[-1], POINTS)
    points = np.stack([np.interp(at, gone, column) for column in path.T], axis=1)
    extent = np.ptp(points, axis=0)
    if not extent.all():
        raise ValueError("the path is a point, or a line across or down, which fills no frame")
    return ((points - points.min(axis=0)) / extent * SIZE).astype(np.float32)


def synthetic(count: int = 60) -> tuple[Vectors, Vectors]:
    """Made-up signs for the ten digits: a smooth curve each, written differently by everybody."""
    rng = np.random.default_rng(SEED)
    curves = rng.normal(size=(len(LABELS), 3, 2, 2))  # waves, sine and cosine, of x and y
    time = np.linspace(0, 1, 40)

    def write(label: int) -> NDArray[np.float32]:
        own = curves[label] + 0.15 * rng.normal(size=curves[label].shape)
        waves = [
            (np.sin, np.cos)[part](2 * np.pi * (k + 1) * time)[:, None] * own[k, part] / (k + 1)
            for k in range(3)
            for part in range(2)
        ]
        return resample(np.sum(waves, axis=0))

    def part(each: int) -> Vectors:
        labels = np.repeat(np.arange(len(LABELS)), each)
        return Vectors([write(int(label)) for label in labels], labels)

    return part(count), part(count // 3)
