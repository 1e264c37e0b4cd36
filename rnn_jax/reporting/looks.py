"""Photographs, what a network says of them, and where it looks when it says a word."""

import textwrap
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from PIL import Image

WORDS = 9  # that are shown of a sentence
WIDTH = 26  # letters of a line under a photograph


class Look(NamedTuple):
    """A photograph, and a sentence."""

    pixels: NDArray[np.uint8]  # [S, S, 3]
    text: str
    tokens: Sequence[str]  # T
    weights: NDArray[np.floating]  # [T, P], of places row by row; [T, 0] where none are looked at


def draw_captions(looks: Sequence[Look]) -> Figure:
    """Photographs with sentences under them, six in a row."""
    columns = 6
    rows = -(-len(looks) // columns)
    figure = Figure(figsize=(11, 2.6 * rows), layout="constrained")
    panels = figure.subplots(rows, columns, squeeze=False)
    for axes in panels.flat:
        axes.set(xticks=[], yticks=[])
        axes.spines[:].set_visible(False)
    for axes, look in zip(panels.flat, looks, strict=False):
        axes.imshow(look.pixels)
        axes.set_xlabel("\n".join(textwrap.wrap(look.text, WIDTH)), fontsize="small")
    return figure


def draw_looks(looks: Sequence[Look]) -> Figure:
    """A row a photograph: it, and for each word of the sentence how bright it is where the network looks."""
    figure = Figure(figsize=(1.15 * (WORDS + 1), 1.4 * len(looks)), layout="constrained")
    panels = figure.subplots(len(looks), WORDS + 1, squeeze=False)
    for axes in panels.flat:
        axes.set_axis_off()
    for (first, *others), look in zip(panels, looks, strict=True):
        first.imshow(look.pixels)
        for axes, token, weights in zip(others, look.tokens, look.weights, strict=False):
            axes.imshow(_lit(look.pixels, weights))
            axes.set_title(token, fontsize="small")
    return figure


def _lit(pixels: NDArray[np.uint8], weights: NDArray[np.floating]) -> NDArray[np.uint8]:
    """A photograph, dark where the weights are small."""
    side = round(len(weights) ** 0.5)
    map_ = Image.fromarray(weights.reshape(side, side).astype(np.float32))
    light = np.asarray(map_.resize(pixels.shape[:2], Image.Resampling.BICUBIC))
    light = np.clip(light / max(float(light.max()), 1e-9), 0, 1)
    return (pixels * (0.25 + 0.75 * light[..., None])).astype(np.uint8)
