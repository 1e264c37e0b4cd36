"""Characters as the way of a pen: how far it moves, and what it does then.

Omniglot: B. Lake, R. Salakhutdinov and J. Tenenbaum, "Human-level concept learning through probabilistic
program induction", Science 350 (2015), 1,623 characters of fifty alphabets by twenty people each; as lines
with few corners: D. Ha and D. Eck, "A Neural Representation of Sketch Drawings", 2017, arXiv:1704.03477.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rnn_jax.data.prepared import data_directory, is_prepared, read_examples

FOLDER = "omniglot_strokes/1.0.0"
UNITS = 6  # of the data, in a pixel of the images that people have drawn into, 105 by 105
ON, LIFTED, ENDS = range(3)  # what a pen does behind a point: draws on, is lifted, has finished
ACTIONS = 3
SEED = 2015  # of the noise, and of the made-up drawings

Drawing = NDArray[np.float32]  # [N, 3], a point a row: dx and dy in pixels, y downward, and what the pen does


@dataclass(frozen=True)
class DrawingSettings:
    """Which drawings."""

    dataset: Literal["auto", "omniglot_strokes", "synthetic"] = "auto"
    """omniglot_strokes, or synthetic: made-up circles, zigzags and crosses; auto: omniglot_strokes where it
    is prepared."""


class Drawings(NamedTuple):
    """A dataset, as its source has it."""

    name: str
    train: Sequence[Drawing]
    validation: Sequence[Drawing]
    test: Sequence[Drawing]


def load(settings: DrawingSettings, data_dir: str | None = None) -> Drawings:
    """The drawings.

    Raises:
        UserError: if they are not at hand.
    """
    name = settings.dataset
    if name == "auto":
        name = "omniglot_strokes" if is_prepared(data_directory(data_dir) / FOLDER) else "synthetic"
    if name == "synthetic":
        made = synthetic()
        return Drawings(name, made[400:], made[200:400], made[:200])
    folder, rng = data_directory(data_dir) / FOLDER, np.random.default_rng(SEED)
    parts = (
        [as_drawn(each["strokes"], rng) for each in read_examples(folder, split)]
        for split in ("train", "validation", "test")
    )
    return Drawings(name, *parts)


def as_drawn(strokes: NDArray[np.integer], rng: np.random.Generator) -> Drawing:
    """From offsets `[1 + N, 3]` in units of the data, the first of which is zero, to those in pixels.

    People drew on whole pixels, for which a density would be infinite. Noise as wide as a pixel makes it a
    bound of how probable the pixels are (L. Theis, A. van den Oord and M. Bethge, 2016, arXiv:1511.01844).
    """
    points = strokes[1:].astype(np.float32)
    points[:, :2] = points[:, :2] / UNITS + rng.uniform(-0.5, 0.5, (len(points), 2))
    points[-1, 2] = ENDS
    return points


def lines(drawing: Drawing) -> list[NDArray[np.float32]]:
    """The lines of a drawing, from one lift of the pen to the next: `[N, 2]` each, in pixels, y upward.

    Example:
        >>> drawing = np.array([[2, 0, ON], [0, 3, LIFTED], [1, 1, ON], [1, 0, ENDS]])
        >>> [each.tolist() for each in lines(drawing)]
        [[[0.0, 0.0], [2.0, 0.0], [2.0, -3.0]], [[3.0, -4.0], [4.0, -4.0]]]
    """
    places = np.concatenate([np.zeros((1, 2)), np.cumsum(drawing[:, :2], axis=0)]) * (1, -1) + 0.0
    return np.split(places, 2 + np.flatnonzero(drawing[:-1, 2] == LIFTED))


def synthetic(count: int = 1400) -> list[Drawing]:
    """Made-up drawings: circles, zigzags and crosses, each in a size, a place and with a hand of its own."""
    rng = np.random.default_rng(SEED)

    def one(kind: int) -> Drawing:
        size, turns = rng.uniform(20, 40), rng.integers(3, 7)
        if kind == 0:
            angle = rng.uniform(0, 2 * np.pi) + np.linspace(0, 2 * np.pi, 12)
            ways = [size * np.stack([np.cos(angle), np.sin(angle)], axis=1)]
        elif kind == 1:
            along = np.arange(turns)
            ways = [np.stack([along * size / 3, size * (along % 2)], axis=1)]
        else:
            ways = [size * np.array([[-1, 0], [1, 0]]), size * np.array([[0, -1], [0, 1]])]
        places = np.concatenate(ways)
        moves = np.diff(places, axis=0) + rng.normal(0, 1, (len(places) - 1, 2))
        actions = np.zeros(len(moves))
        actions[np.cumsum([len(way) for way in ways])[:-1] - 2] = LIFTED
        actions[-1] = ENDS
        return np.concatenate([moves, actions[:, None]], axis=1).astype(np.float32)

    return [one(number % 3) for number in range(count)]
