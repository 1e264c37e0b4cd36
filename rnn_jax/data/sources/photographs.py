"""Photographs, and what people say that they show.

Flickr8k: M. Hodosh, P. Young and J. Hockenmaier, "Framing Image Description as a Ranking Task", JAIR 47
(2013): five sentences each; the photographs are their owners', for research alone. Here at 96 by 96 pixels.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rnn_jax.data.prepared import data_directory, is_prepared, read_examples
from rnn_jax.data.sources.images import middle, read_image
from rnn_jax.settings import above

FOLDER = "flickr8k_small/1.0.0"
KIND = "whole_words"  # of tokens: lower case
SIZE = 96  # pixels of a side
CAPTIONS = 5  # of a photograph
SEED = 2013  # of the made-up pictures


@dataclass(frozen=True)
class PhotographSettings:
    """Which photographs, and what counts as a word."""

    dataset: Literal["auto", "flickr8k_small", "synthetic"] = "auto"
    """flickr8k_small, or synthetic: made-up pictures of a figure each; auto: flickr8k_small where it is
    prepared."""
    min_count: Annotated[int, above(0)] = 5
    """How often a word occurs in the training captions to be known."""


class Captioned(NamedTuple):
    """N photographs, and what they show."""

    pixels: NDArray[np.uint8]  # [N, 96, 96, 3]
    captions: Sequence[Sequence[str]]  # five of each


class Photographs(NamedTuple):
    """A dataset, as its source has it."""

    name: str
    train: Captioned
    validation: Captioned
    test: Captioned


def load(settings: PhotographSettings, data_dir: str | None = None) -> Photographs:
    """The photographs.

    Raises:
        UserError: if they are not at hand.
    """
    name = settings.dataset
    if name == "auto":
        name = "flickr8k_small" if is_prepared(data_directory(data_dir) / FOLDER) else "synthetic"
    if name == "synthetic":
        return Photographs(name, *(synthetic(count, seed) for seed, count in enumerate((320, 60, 60))))

    def part(split: str) -> Captioned:
        examples = read_examples(data_directory(data_dir) / FOLDER, split)
        captions = [[text.decode() for text in each["captions"]] for each in examples]
        return Captioned(np.stack([each["image"] for each in examples]), captions)

    return Photographs(name, *map(part, ("train", "validation", "test")))


def read_photograph(file: str | Path) -> NDArray[np.uint8]:
    """A photograph of one's own, `[96, 96, 3]`, cut like the others; see `read_image` for errors."""
    return middle(read_image(file), SIZE)


COLOURS = {"red": (200, 40, 40), "green": (40, 160, 60), "blue": (50, 70, 200), "yellow": (220, 200, 50)}
FIGURES = ("ball", "box", "post")
GROUNDS = {"in the snow": (235, 235, 240), "on the sand": (210, 180, 130), "at night": (30, 30, 50)}


def synthetic(count: int, seed: int) -> Captioned:
    """Made-up pictures: a coloured figure on some ground, and five ways to say so."""
    rng = np.random.default_rng([SEED, seed])
    across, down = np.meshgrid(np.arange(SIZE), np.arange(SIZE))
    pixels, captions = [], []
    for _ in range(count):
        figure = FIGURES[rng.integers(len(FIGURES))]
        colour, paint = list(COLOURS.items())[rng.integers(len(COLOURS))]
        ground, shade = list(GROUNDS.items())[rng.integers(len(GROUNDS))]
        size, (x, y) = rng.integers(10, 20), rng.integers(22, SIZE - 22, 2)
        shapes = {
            "ball": (across - x) ** 2 + (down - y) ** 2 < size**2,
            "box": (abs(across - x) < size) & (abs(down - y) < 0.8 * size),
            "post": (abs(across - x) < size / 4) & (abs(down - y) < 1.1 * size),
        }
        image = np.where(shapes[figure][..., None], paint, shade) + rng.normal(0, 12, (SIZE, SIZE, 3))
        pixels.append(np.clip(image, 0, 255).astype(np.uint8))
        large = "large" if size >= 15 else "small"
        captions.append(
            [
                f"A {colour} {figure} {ground} .",
                f"A {large} {colour} {figure} lies {ground} .",
                f"There is a {colour} {figure} {ground} .",
                f"A {figure} , which is {colour} , {ground} .",
                f"Somebody left a {large} {figure} {ground} .",
            ]
        )
    return Captioned(np.stack(pixels), captions)
