"""The gradients of a step: of the mean over what a task counts in the global batch, at once or in parts."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from rnn_jax.cells.cell import Array
from rnn_jax.data.batches import Batch
from rnn_jax.models.dropout import Keys
from rnn_jax.models.functional import ModelParams
from rnn_jax.training.task import Carry, Mean, Objective, Sums, Task, zeros

AllReduce = Callable[[Any], Any]  # adds a tree up over all devices that share a batch


class Rows(NamedTuple):
    """One device's rows of a batch, and what belongs to them."""

    batch: Batch
    carry: Carry
    keys: Keys


class Gradients(NamedTuple):
    """What comes of the rows."""

    gradients: ModelParams  # of this device's share of the mean: they add up over devices
    sums: Sums
    carry: Carry


def gradients_of(task: Task, params: ModelParams, rows: Rows, all_reduce: AllReduce) -> Gradients:
    """The gradients, from all rows at once."""
    objective = _objective(task, rows, lambda name, mean: all_reduce(mean.number))
    gradients, (sums, carry) = task.gradients(objective, params, rows.batch)
    return Gradients(gradients, sums, carry)


def gradients_in_parts(
    task: Task, params: ModelParams, rows: Rows, all_reduce: AllReduce, parts: int
) -> Gradients:
    """The same, up to rounding, from one part of the rows after the other: in the memory of one of them.

    Args:
        task: what is learnt.
        params: where the gradients are taken.
        rows: of this device.
        all_reduce: adds up over devices.
        parts: how many there are; they are of one size.
    """
    # What the mean is over depends on all parts. It is counted by the same rule, of which the compiler leaves
    # out all but the counting.
    whole = _objective(task, rows, lambda name, mean: jnp.ones(()))
    _, (counted, _) = task.gradients(whole, params, rows.batch)
    numbers = all_reduce({name: counted[name].number for name in task.metrics.minimised})

    def one(total: tuple[ModelParams, Sums], own: Any) -> tuple[tuple[ModelParams, Sums], Carry]:
        batch, carry, examples = own
        part = Rows(batch, carry, Keys(examples, rows.keys.shared))
        objective = _objective(task, part, lambda name, mean: numbers[name])
        gradients, (sums, carry) = task.gradients(objective, params, batch)
        return jax.tree.map(jnp.add, total, (gradients, sums)), carry

    own = jax.tree.map(
        lambda x: x.reshape(parts, len(x) // parts, *x.shape[1:]),
        (rows.batch, rows.carry, rows.keys.examples),
    )
    zero = jax.tree.map(jnp.zeros_like, params), zeros(task.metrics.names)
    (gradients, sums), carry = jax.lax.scan(one, zero, own)
    return Gradients(gradients, sums, jax.tree.map(lambda x: x.reshape(-1, *x.shape[2:]), carry))


def _objective(task: Task, rows: Rows, number: Callable[[str, Mean], Array]) -> Objective:
    """What is minimised, as `jax.grad` takes it: the sum of the means, over so many terms."""

    def objective(params: ModelParams, *perturbation: Array) -> tuple[Array, tuple[Sums, Carry]]:
        sums, carry = task.loss(params, rows.batch, rows.carry, rows.keys, *perturbation)
        minimised = [(sums[name], number(name, sums[name])) for name in task.metrics.minimised]
        means = [mean.total / jnp.maximum(terms, 1) for mean, terms in minimised]
        return sum(means, jnp.zeros(())), (sums, carry)

    return objective
