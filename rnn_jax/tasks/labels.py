"""Answers that are one of several labels: how probable they are, and what is counted of them.

Two labels have one logit, the log-odds of the second; more have a logit each, of which the softmax is taken.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from numpy.typing import NDArray

from rnn_jax.cells.cell import Array
from rnn_jax.data.examples import NO_LABEL
from rnn_jax.training.task import Mean, Sums


def count(logits: Array, labels: Array, weights: Array) -> Sums:
    """Cross-entropy in nats and accuracy of a batch: labels and weights are `[B]`.

    Of two labels, the logits are `[B]`, and a label is the probability of the second; of K, they are
    `[B, K]`, and a label is a number below K. Rows of weight 0 do not count, nor those without a label, whose
    label is `NO_LABEL`.
    """
    weights = weights * (labels != NO_LABEL)
    if logits.ndim == 1:
        losses = optax.sigmoid_binary_cross_entropy(logits, labels)
        correct = (logits > 0) == (labels > 0.5)
    else:
        losses = optax.softmax_cross_entropy_with_integer_labels(logits, jnp.maximum(labels, 0))
        correct = logits.argmax(axis=-1) == labels
    examples = weights.sum()
    return {
        "loss": Mean((losses * weights).sum(), examples),
        "accuracy": Mean((correct * weights).sum(), examples),
    }


def count_f1(logits: Array, labels: Array, weights: Array) -> Sums:
    """F1 of each label, `[K]`, the mean of which is macro F1; logits are as `count` takes them.

    F1 is 2 TP / (2 TP + FP + FN): twice the examples that have a label and are given it, over those that have
    it and those that are given it.
    """
    answers, kinds = answers_of(logits), 2 if logits.ndim == 1 else logits.shape[-1]
    weights = weights * (labels != NO_LABEL)
    has, given = (jax.nn.one_hot(each, kinds) * weights[:, None] for each in (labels, answers))
    return {"macro_f1": Mean(2 * jnp.minimum(has, given).sum(axis=0), (has + given).sum(axis=0))}


class Detection(NamedTuple):
    """How well the second of two labels is told from the first.

    Attributes:
        sensitivity: the share of those of the second that are found, TP / (TP + FN).
        specificity: the share of those of the first that are left alone, TN / (TN + FP).
        correlation: of label and answer, (TP TN - FP FN) / √((TP+FP)(TP+FN)(TN+FP)(TN+FN)); 0 where all
            answers or all labels are the same (B. Matthews, 1975).
    """

    sensitivity: float
    specificity: float
    correlation: float


def detection(confusion: Sequence[Sequence[int]]) -> Detection:
    """The figures of a confusion matrix of two labels, `[2, 2]`, a row a label.

    Example:
        >>> detection([[90, 10], [10, 90]])
        Detection(sensitivity=0.9, specificity=0.9, correlation=0.8)
    """
    (tn, fp), (fn, tp) = confusion
    product = (tp + fp) * (tp + fn) * (tn + fp) * (tn + fn)
    correlation = (tp * tn - fp * fn) / product**0.5 if product else 0.0
    return Detection(tp / max(tp + fn, 1), tn / max(tn + fp, 1), correlation)


def probabilities_of(logits: Array) -> Array:
    """The probability of each label, `[N, K]`, from log-odds `[N]` of two labels, or logits `[N, K]`."""
    if logits.ndim == 1:
        second = jax.nn.sigmoid(logits)
        return jnp.stack([1 - second, second], axis=-1)
    return jax.nn.softmax(logits)


def answers_of(logits: Any) -> Any:
    """The most probable label of each example, `[N]`, in NumPy or in JAX."""
    return (logits > 0).astype(int) if logits.ndim == 1 else logits.argmax(axis=-1)


def answers_file(correct: NDArray[np.bool_]) -> str:
    """A 1 for each example that was classified correctly, a 0 for the others, on one line."""
    return "".join("01"[int(right)] for right in correct) + "\n"
