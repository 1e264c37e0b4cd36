"""Labelled sequences of vectors: frames of sound, rows of an image, points of a pen, bases of a genome."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rnn_jax.durable import write_whole
from rnn_jax.errors import UserError

FILE = "vectors.json"


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


class VectorPreprocessor(NamedTuple):
    """What a sequence goes through before a network reads it: `(x - mean) / deviation`.

    Attributes:
        labels: by number.
        size: D.
        max_length: the most steps of a sequence.
        mean: of all numbers of the training split, whose features share a unit.
        deviation: their standard deviation.
    """

    labels: tuple[str, ...]
    size: int
    max_length: int
    mean: float = 0.0
    deviation: float = 1.0

    def __call__(self, sequence: NDArray[Any]) -> NDArray[np.float32]:
        """What the network reads of a sequence: `[T, D] -> [T, D]`."""
        return ((sequence - np.float32(self.mean)) / np.float32(self.deviation)).astype(np.float32)

    def files(self) -> dict[str, Callable[[Path], None]]:
        """The writer of `vectors.json`."""
        content = json.dumps(self._asdict(), indent=2) + "\n"
        return {FILE: lambda path: write_whole(path, content)}

    def row_names(self) -> tuple[str, ...]:
        """None: there are no word vectors."""
        return ()

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

    @classmethod
    def read(cls, directory: Path) -> "VectorPreprocessor":
        """Reads it from the directory of a run.

        Raises:
            UserError: if the file is missing or damaged.
        """
        file = directory / FILE
        try:
            told = json.loads(file.read_text(encoding="utf-8"))
            return cls(**told | {"labels": tuple(told["labels"])})
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise UserError(f"{file} cannot be read ({error}): train the run again") from error
