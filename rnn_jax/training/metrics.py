"""Metrics as sums and counts: they add up over devices, batches and interruptions, and are divided once."""

from typing import NamedTuple

import jax.numpy as jnp
import optax

from rnn_jax.cells.cell import Array


class Metrics(NamedTuple):
    """Sums over examples, float32 scalars (or NumPy's, on the host)."""

    loss: Array  # sum of cross-entropies, in nats
    correct: Array  # number of examples that are classified correctly
    examples: Array  # number of examples

    @classmethod
    def zero(cls) -> "Metrics":
        """Nothing counted yet."""
        return cls(*(jnp.zeros((), jnp.float32) for _ in cls._fields))

    @classmethod
    def of(cls, logits: Array, labels: Array, weights: Array) -> "Metrics":
        """Counts a batch: logits, labels and weights `[B]`; rows of weight 0 do not count."""
        losses = optax.sigmoid_binary_cross_entropy(logits, labels)
        right = (logits > 0) == (labels > 0)
        return cls((losses * weights).sum(), (right * weights).sum(), weights.sum())

    def __add__(self, other: "Metrics") -> "Metrics":  # type: ignore[override]
        return Metrics(*(mine + theirs for mine, theirs in zip(self, other, strict=True)))

    @property
    def mean_loss(self) -> float:
        """Mean cross-entropy an example, in nats."""
        return float(self.loss) / float(self.examples)

    @property
    def accuracy(self) -> float:
        """Accuracy, from 0 to 1."""
        return float(self.correct) / float(self.examples)
