"""Images of one's own, made like those of a dataset of digits."""

import struct
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rnn_jax.errors import UserError
from rnn_jax.places import local

BOXES = {28: 20, 8: 8}  # pixels that the larger side of the ink fills, of an image's side
LEAST_INK = 0.2  # of the range from white to black: what is lighter is paper


def read_digit(path: str | Path, size: int) -> NDArray[np.float32]:
    """An image of one digit, of any size, as `[S, S]` from 0, paper, to 1, ink.

    Made like the images of MNIST (LeCun et al., 1998): the ink is cut out, scaled to a box in its shape, and
    its centre of mass put into the middle. Ink may be dark on light paper, or light on dark.

    Args:
        path: of a file that Pillow reads, in grey.
        size: S, that of the images which a network was trained on.

    Raises:
        UserError: if it cannot be read, is in colour, or shows nothing.
    """
    grey = _read_grey(path)
    border = np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]])
    ink = np.abs(grey - np.median(border))
    ink = np.where(ink < LEAST_INK, 0, ink)
    if not ink.any():
        raise UserError(f"{path} shows no digit: it is blank")
    rows, columns = (np.flatnonzero(ink.any(axis=axis)) for axis in (1, 0))
    cut = ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    return _centred(_scaled(cut / cut.max(), BOXES[size]), size)


def read_image(path: str | Path) -> NDArray[np.float32]:
    """Any image, upright and on white: `[height, width, 3]`, red, green and blue from 0 to 1.

    Raises:
        UserError: if it cannot be read, or Pillow is missing.
    """
    try:
        from PIL import Image, ImageOps
    except ImportError as error:
        raise UserError("images need Pillow: pip install pillow") from error
    try:
        with Image.open(local(path)) as image:
            if image.mode.startswith("I"):  # 16 bits
                grey = np.asarray(image, np.float32) / np.float32(2**16 - 1)
                return np.repeat(grey[..., None], 3, axis=-1)
            upright = ImageOps.exif_transpose(image)
            opaque = Image.new("RGBA", upright.size, "white")
            opaque.alpha_composite(upright.convert("RGBA"))
            return np.asarray(opaque.convert("RGB"), np.float32) / np.float32(255)
    # What damaged files, and what cameras write into them, raise.
    except (OSError, ValueError, SyntaxError, struct.error, Image.DecompressionBombError) as error:
        raise UserError(f"{path} cannot be read as an image ({error}): save it as PNG") from error


def middle(pixels: NDArray[np.floating], size: int) -> NDArray[np.uint8]:
    """The largest square in the middle of an image `[H, W, 3]`, from 0 to 1, as `[S, S, 3]` up to 255."""
    from PIL import Image, ImageOps

    whole = Image.fromarray(np.round(255 * pixels).astype(np.uint8))
    return np.asarray(ImageOps.fit(whole, (size, size), Image.Resampling.LANCZOS))


def _read_grey(path: str | Path) -> NDArray[np.float32]:
    """From 0, black, to 1, white: `[height, width]`."""
    pixels = read_image(path)
    if np.ptp(pixels, axis=-1).max() > 0.1:
        raise UserError(f"{path} is in colour: save it in shades of grey")
    return pixels.mean(axis=-1)


def _scaled(ink: NDArray[np.float32], box: int) -> NDArray[np.float32]:
    from PIL import Image

    height, width = (max(1, round(side * box / max(ink.shape))) for side in ink.shape)
    scaled = Image.fromarray(ink.astype(np.float32)).resize((width, height), Image.Resampling.BOX)
    return np.asarray(scaled, np.float32)


def _centred(ink: NDArray[np.float32], size: int) -> NDArray[np.float32]:
    """On paper of `[size, size]`, the centre of mass in the middle, as far as the ink then fits."""
    paper = np.zeros((size, size), np.float32)
    starts = []
    for axis, side in enumerate(ink.shape):
        mass = ink.sum(axis=1 - axis)
        centre = (mass * (np.arange(side) + 0.5)).sum() / mass.sum()
        starts.append(int(np.clip(round(size / 2 - centre), 0, size - side)))
    top, left = starts
    paper[top : top + ink.shape[0], left : left + ink.shape[1]] = ink
    return paper
