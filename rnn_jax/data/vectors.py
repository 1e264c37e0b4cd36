"""Labelled sequences of vectors: frames of sound, rows of an image, points of a pen, bases of a genome."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rnn_jax.data.kept import Kept


class Vectors(NamedTuple):
    """N sequences, and their labels."""

    sequences: Sequence[NDArray[Any]]  # [T, D] each
    labels: NDArray[np.integer]  # [N], numbers from 0 on

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, indices: NDArray[np.integer]) -> "Vectors":
        """Some of them, in this order."""
        return Vectors([self.sequences[i] for i in indices], self.labels[indices])


class LabelledVectors(NamedTuple):
    """A dataset, as its source has it."""

    name: str
    labels: tuple[str, ...]  # by number
    train: Vectors
    validation: Vectors
    test: Vectors


@dataclass(frozen=True)
class VectorPreprocessor(Kept):
    """What a sequence goes through before a network reads it: `(x - mean) / deviation`.

    Attributes:
        labels: by number.
        size: D.
        max_length: the most steps of a sequence.
        mean: of all numbers of the training split, whose features share a unit.
        deviation: their standard deviation.
    """

    FILE = "vectors.json"

    labels: tuple[str, ...]
    size: int
    max_length: int
    mean: float = 0.0
    deviation: float = 1.0

    def __call__(self, sequence: NDArray[Any]) -> NDArray[np.float32]:
        """What the network reads of a sequence: `[T, D] -> [T, D]`."""
        return ((sequence - np.float32(self.mean)) / np.float32(self.deviation)).astype(np.float32)

    def answer_names(self) -> tuple[str, ...]:
        """The labels, by number."""
        return self.labels

    @classmethod
    def of(cls, data: LabelledVectors) -> "VectorPreprocessor":
        """What is fit for a dataset, by its training split."""
        everything = data.train.sequences + data.validation.sequences + data.test.sequences  # type: ignore[operator]
        numbers = np.concatenate([np.ravel(each) for each in data.train.sequences])
        return cls(
            data.labels,
            everything[0].shape[-1],
            max(map(len, everything)),
            float(numbers.mean(dtype=np.float64)),
            float(numbers.std(dtype=np.float64)) or 1.0,
        )
