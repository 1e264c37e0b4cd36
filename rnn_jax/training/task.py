"""What is learnt, as pure functions: the loop knows nothing else of it."""

import math
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from rnn_jax.cells.cell import Array
from rnn_jax.data.batches import Batch, Split
from rnn_jax.models.functional import ModelParams

Carry = Any  # what a batch leaves to the next, leaves `[B, ...]`; () for nothing
Outputs = Any  # of evaluation, leaves `[B, ...]`


class Mean(NamedTuple):
    """A sum and the number of its terms, which add up over devices, batches and interruptions.

    Or several: its value is then the mean of their means, of those that have a term (a macro average).
    """

    total: Array  # float32 scalars, or `[K]`, or NumPy's on the host
    number: Array

    @property
    def value(self) -> float:
        """The mean; 0 where nothing has been counted."""
        if np.ndim(self.total) == 0:
            return float(self.total) / (float(self.number) or 1.0)
        total, number = np.asarray(self.total), np.asarray(self.number)
        return float((total[number > 0] / number[number > 0]).mean()) if (number > 0).any() else 0.0


def perplexity(loss: Mean) -> float:
    """The exponential of a cross-entropy in nats."""
    return math.exp(min(loss.value, 700.0))  # beyond, there is no such number


Sums = dict[str, Mean]


def zeros(names: tuple[str, ...], sizes: Mapping[str, int] = MappingProxyType({})) -> Sums:
    """Nothing counted yet; `sizes` says of how many means some are."""
    shapes = {name: (sizes[name],) if name in sizes else () for name in names}
    return {name: Mean(jnp.zeros(s, jnp.float32), jnp.zeros(s, jnp.float32)) for name, s in shapes.items()}


def add(mine: Sums, more: Sums) -> Sums:
    """The sums of both."""
    return jax.tree.map(jnp.add, mine, more)


def means(sums: Sums, names: tuple[str, ...]) -> dict[str, float]:
    """The means by name, on the host, in the order of the names, which a tree of JAX does not keep."""
    return {name: sums[name].value for name in names}


class Selection(NamedTuple):
    """Which epoch is the best: the one with the highest, or lowest, figure on the validation split.

    Of equals, it is the one with the lower figure `among_equals`, or the later one.
    """

    figure: str
    higher: bool
    among_equals: str = ""

    def of(self, figures: Mapping[str, float]) -> tuple[float, float]:
        """The figures of an epoch that count; the second is 0 where the later epoch counts."""
        return figures[self.figure], figures.get(self.among_equals, 0.0)

    def better(self, found: tuple[float, float], best: tuple[float, float]) -> bool:
        """Whether an epoch takes the place of the best one, by their figures that count."""
        if found[0] != best[0]:
            return (found[0] > best[0]) == self.higher
        return found[1] <= best[1]


class Metrics(NamedTuple):
    """What is counted in training: the sum of the means of `minimised` is the objective."""

    minimised: tuple[str, ...]
    watched: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Of all, the objective's first."""
        return self.minimised + self.watched


class Figures(NamedTuple):
    """What an evaluation says: means of the sums over a split, and what else is made of these."""

    counted: tuple[str, ...]
    scores: tuple[str, ...] = ()
    score: Callable[[Sums, Split], dict[str, float]] = lambda sums, split: {}
    sizes: Mapping[str, int] = MappingProxyType({})  # of how many means the counted ones are that are several

    @property
    def names(self) -> tuple[str, ...]:
        """Of all."""
        return self.counted + self.scores

    def of(self, sums: Sums, split: Split) -> dict[str, float]:
        """All figures, by name."""
        return means(sums, self.counted) | self.score(sums, split)


class Part(NamedTuple):
    """A part of a network that others have, too: `embedding`, vectors by name, or `recurrent`, layers."""

    path: tuple[str, ...]  # where it lies in the parameters
    settings: tuple[str, ...]  # the names of what decides its shape, which must be the same


class Report(NamedTuple):
    """What a task has to say of the test split beside its figures."""

    fields: dict[str, Any]  # of result.json
    files: dict[str, str]  # content by name, written into the run's directory


Objective = Callable[
    ..., tuple[Array, Any]
]  # (params, *perturbation) -> (loss, anything), as `jax.grad` has it
GradientRule = Callable[[Objective, ModelParams, Batch], tuple[ModelParams, Any]]


def plain_gradients(objective: Objective, params: ModelParams, batch: Batch) -> tuple[ModelParams, Any]:
    """The gradients of the objective, and what else it returns."""
    return jax.grad(objective, has_aux=True)(params)


class Task(NamedTuple):
    """What is learnt.

    Attributes:
        name: of its recipe.
        init: draws the initial parameters.
        loss: `(params, batch, carry, keys, *perturbation) -> (sums, carry)`, in training; only the task's own
            gradient rule adds a perturbation.
        evaluate: `(params, batch, carry) -> (sums, carry, outputs)`, in one pass over a batch.
        metrics: the names in the sums of `loss`.
        figures: of an evaluation; those counted are the names in the sums of `evaluate`.
        selection: which epoch is the best.
        identity: the fields of result.json that name the network.
        initial_carry: `rows -> carry`, before the first batch.
        gradients: how the objective is differentiated.
        report: what else is said of the outputs on the test split, in the order of its examples; of None
            where that was not read.
        parts: of the network, by name, that runs of other tasks may begin with, or lend.
    """

    name: str
    init: Callable[[], ModelParams]
    loss: Callable[..., tuple[Sums, Carry]]
    evaluate: Callable[[ModelParams, Batch, Carry], tuple[Sums, Carry, Outputs]]
    metrics: Metrics
    figures: Figures
    selection: Selection
    identity: Mapping[str, Any]
    initial_carry: Callable[[int], Carry] = lambda rows: ()
    gradients: GradientRule = plain_gradients
    report: Callable[[Outputs, Split], Report] = lambda outputs, split: Report({}, {})
    parts: Mapping[str, Part] = MappingProxyType({})
