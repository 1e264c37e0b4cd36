"""Handwritten digits as sequences: row by row, pixel by pixel, or pixel by pixel in a fixed random order.

MNIST: Y. LeCun, L. Bottou, Y. Bengio and P. Haffner, "Gradient-Based Learning Applied to Document
Recognition", Proceedings of the IEEE 86 (1998). Pixel by pixel, and permuted: Q. Le, N. Jaitly and G. Hinton,
2015, arXiv:1504.00941. The small ones are those of scikit-learn: 1,797 of the "Optical Recognition of
Handwritten Digits" of E. Alpaydin and C. Kaynak (1998), of 8 × 8 pixels.
"""

from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rnn_jax.data.examples import hold_out
from rnn_jax.data.prepared import data_directory, is_prepared, read_examples
from rnn_jax.data.vectors import LabelledVectors, Vectors
from rnn_jax.errors import UserError

FOLDER = "mnist/3.0.1"
LABELS = tuple("0123456789")
VALIDATION = 1 / 12  # of the training images: 5,000 of MNIST
SEED = 19981101  # of what is held out, and of the permutation: the paper's month

Order = Literal["rows", "pixels", "permuted"]
SIZES = {"mnist": 28, "small": 8}


@dataclass(frozen=True)
class DigitSettings:
    """Which digits, and how they are read."""

    dataset: Literal["auto", "mnist", "small"] = "auto"
    """mnist, or small: the 1,797 digits of 8 × 8 pixels that scikit-learn brings; auto: mnist where it is
    prepared."""
    order: Order = "rows"
    """What a step is: a row, a pixel, or a pixel in a random order that is the same for all images."""


class Images(NamedTuple):
    """N images, and what they show."""

    pixels: NDArray[np.float32]  # [N, S, S], from 0, paper, to 1, ink
    labels: NDArray[np.int64]  # [N]


def in_order(images: NDArray[np.float32], order: Order) -> NDArray[np.float32]:
    """Images as sequences: `[N, S, S]` stays, or becomes `[N, S², 1]`."""
    if order == "rows":
        return images
    pixels = images.reshape(len(images), -1, 1)
    if order == "pixels":
        return pixels
    return pixels[:, np.random.default_rng(SEED).permutation(pixels.shape[1])]


def load(settings: DigitSettings, data_dir: str | None = None) -> LabelledVectors:
    """The digits; a twelfth of the training images, as many of each digit as of all, is for validation.

    Raises:
        UserError: if they are not at hand.
    """
    name = settings.dataset
    if name == "auto":
        name = "mnist" if is_prepared(data_directory(data_dir) / FOLDER) else "small"
    training, test = mnist(data_dir) if name == "mnist" else small()
    held = hold_out(training.labels, VALIDATION, SEED)

    def part(images: Images, chosen: NDArray[np.bool_] | slice = slice(None)) -> Vectors:
        return Vectors(list(in_order(images.pixels[chosen], settings.order)), images.labels[chosen])

    return LabelledVectors(name, LABELS, part(training, ~held), part(training, held), part(test))


def mnist(data_dir: str | None = None) -> tuple[Images, Images]:
    """The 60,000 training and 10,000 test images, as TFDS has prepared them."""

    def split(name: str) -> Images:
        examples = read_examples(data_directory(data_dir) / FOLDER, name)
        pixels = np.stack([example["image"][..., 0] for example in examples])
        return Images(
            pixels.astype(np.float32) / np.float32(255), np.array([example["label"] for example in examples])
        )

    return split("train"), split("test")


def small() -> tuple[Images, Images]:
    """Those of scikit-learn: a fifth, as many of each digit as of all, is for the test.

    Raises:
        UserError: if it is not installed.
    """
    try:
        from sklearn.datasets import load_digits
    except ImportError as error:
        raise UserError("the small digits need scikit-learn: pip install scikit-learn") from error
    found = load_digits()
    pixels, labels = found.images.astype(np.float32) / 16, found.target
    tested = hold_out(labels, 0.2, SEED)
    return Images(pixels[~tested], labels[~tested]), Images(pixels[tested], labels[tested])
