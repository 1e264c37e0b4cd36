"""Made-up tasks that need nothing but memory, drawn anew for every step of training.

The adding problem and the copying task after S. Hochreiter and J. Schmidhuber, "Long Short-Term Memory",
Neural Computation 9 (1997), as in M. Arjovsky, A. Shah and Y. Bengio, 2016, arXiv:1511.06464. Variant:
in copying the ten answers alone are asked, among the eight symbols, where the paper asks at all steps, for
blanks until the sign.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

Array = jax.Array

SYMBOLS, COPIED = 8, 10  # kinds of symbols, and how many are to be remembered


class Problem(NamedTuple):
    """B sequences of T steps."""

    inputs: Array  # [B, T, D]
    targets: Array  # adding: float32 [B]; copying: int32 [B, COPIED]


class Task(NamedTuple):
    """What is asked.

    Attributes:
        input_size: D.
        output_size: numbers that a network outputs at each step.
        draw: `(key, batch, length) -> Problem`.
        loss: `(outputs [B, T, output_size], targets) -> mean loss`.
        score: `(outputs, targets) -> from 0, as without memory, to 1, all remembered`.
    """

    input_size: int
    output_size: int
    draw: Callable[[Any, int, int], Problem]
    loss: Callable[[Array, Array], Array]
    score: Callable[[Array, Array], Array]


def draw_adding(key: Array, batch: int, length: int) -> Problem:
    """A number from 0 to 1 at each of `length` steps, one marked in each half; their sum is asked at the end.

    D = 2: the number, and 1 where it is marked.
    """
    numbers, first, second = jax.random.split(key, 3)
    values = jax.random.uniform(numbers, (batch, length))
    places = (
        jax.random.randint(first, (batch, 1), 0, length // 2),
        jax.random.randint(second, (batch, 1), length // 2, length),
    )
    steps = jnp.arange(length)
    marked = ((steps == places[0]) | (steps == places[1])).astype(values.dtype)
    return Problem(jnp.stack([values, marked], axis=-1), (values * marked).sum(axis=1))


def _adding_loss(outputs: Array, targets: Array) -> Array:
    return ((outputs[:, -1, 0] - targets) ** 2).mean()


def _adding_score(outputs: Array, targets: Array) -> Array:
    """The share of the targets' variance that is explained: 1/6 is that of a sum of two such numbers."""
    return 1 - _adding_loss(outputs, targets) * 6


def draw_copying(key: Array, batch: int, length: int) -> Problem:
    """Ten of eight symbols, blanks for `length` steps, and a sign: then the ten are asked, in order.

    D = 10, one-hot: the symbols, blank, and the sign. T is length + 2 · 10; the sign is the last of the
    `length` steps.
    """
    symbols = jax.random.randint(key, (batch, COPIED), 0, SYMBOLS)
    blanks = jnp.full((batch, length + COPIED), SYMBOLS).at[:, length - 1].set(SYMBOLS + 1)
    inputs = jax.nn.one_hot(jnp.concatenate([symbols, blanks], axis=1), SYMBOLS + 2)
    return Problem(inputs, symbols)


def _copying_loss(outputs: Array, targets: Array) -> Array:
    logs = jax.nn.log_softmax(outputs[:, -COPIED:])
    return -jnp.take_along_axis(logs, targets[..., None], axis=-1).mean()


def _copying_score(outputs: Array, targets: Array) -> Array:
    """The accuracy over symbols, beyond the one in eight that is guessed."""
    right = (outputs[:, -COPIED:].argmax(axis=-1) == targets).mean()
    return (right - 1 / SYMBOLS) / (1 - 1 / SYMBOLS)


TASKS: dict[str, Task] = {
    "adding": Task(2, 1, draw_adding, _adding_loss, _adding_score),
    "copying": Task(SYMBOLS + 2, SYMBOLS, draw_copying, _copying_loss, _copying_score),
}
