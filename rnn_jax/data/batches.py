"""The order of batches, and the batches themselves.

The order of an epoch is a pure function of (lengths, boundaries, batch size, seed, epoch): it does not
depend on devices, hosts, or what ran before. The position in the data is therefore one integer, the number
of steps taken, and every host can cut its own rows out of the same global batch.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from rnn_jax.data.buckets import assign
from rnn_jax.seeds import words

AnyArray = Any  # NumPy's where batches are made, JAX's where they are used
Column = (
    list[NDArray[Any]] | NDArray[Any]
)  # of N examples: N sequences `[length, ...]`, or one array `[N, ...]`


class Sequences(NamedTuple):
    """B padded sequences."""

    values: AnyArray  # [B, T, ...], 0 where padded
    lengths: AnyArray  # int32 [B]


class Spans(NamedTuple):
    """Where in B rows up to K sequences lie, one after the other."""

    first: AnyArray  # int32 [B, K], the first step of each
    lengths: AnyArray  # int32 [B, K], 0 where there is none


class Batch(NamedTuple):
    """B examples, or B rows of several."""

    columns: dict[str, Any]  # by name: `Sequences`, `Spans`, or an array [B, ...]
    weights: AnyArray  # float32 [B], 0 for rows that only fill the batch up
    rows: AnyArray  # int32 [B], number of the row in the global batch, from which its random keys come


class Plan(NamedTuple):
    """One batch to be made: which examples, and how far to pad them."""

    indices: NDArray[np.int64]  # [at most B]; [at most B, K] of several a row, -1 where there is none
    length: int  # T


class Split(Protocol):
    """A part of a dataset, to be read in batches; a pure function of seed and epoch that knows no device."""

    @property
    def steps(self) -> int:
        """The number of batches of an epoch."""

    def __len__(self) -> int:
        """The number of examples."""

    def epoch(self, seed: int, epoch: int) -> Sequence[Plan]:
        """The batches of a training epoch, in order."""

    def once(self) -> Sequence[Plan]:
        """Batches that hold each example once, for evaluation."""

    def batch(self, plan: Plan, rows: range) -> Batch:
        """The rows of a batch that one host works on."""

    def describe(self, plan: Plan) -> str:
        """Which examples a batch holds, in words."""


@dataclass(frozen=True, eq=False)
class Bucketed:
    """Examples in batches of sequences of about one length, padded to the few lengths that there are.

    Attributes:
        columns: of all examples, by name.
        lengths: of the examples, `[N]`: of each, that of its longest sequence.
        boundaries: the lengths that batches are padded to, ascending.
        batch_size: examples a batch, over all devices of all hosts.
        beside: what else is known of the examples, `[N, ...]` by name; batches do not hold it.
    """

    columns: Mapping[str, Column]
    lengths: NDArray[np.integer]
    boundaries: tuple[int, ...]
    batch_size: int
    beside: Mapping[str, NDArray[Any]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.lengths)

    @property
    def steps(self) -> int:
        """The number of batches of an epoch."""
        return steps_per_epoch(len(self), self.batch_size)

    def epoch(self, seed: int, epoch: int) -> list[Plan]:
        """The batches of a training epoch; see `plan_epoch`."""
        return plan_epoch(self.lengths, self.boundaries, self.batch_size, seed, epoch)

    def once(self) -> list[Plan]:
        """Batches that hold each example once, shortest first."""
        return plan_evaluation(self.lengths, self.boundaries, self.batch_size)

    def batch(self, plan: Plan, rows: range | None = None) -> Batch:
        """Pads the sequences of a plan into a batch, or into the `rows` of it that one host works on."""
        rows = range(self.batch_size) if rows is None else rows
        chosen = plan.indices[rows.start : rows.stop]
        weights = (np.arange(len(rows)) < len(chosen)).astype(np.float32)
        columns = {
            name: _pad(column, chosen, len(rows), plan.length)
            if isinstance(column, list)
            else _fill(column, chosen, len(rows))
            for name, column in self.columns.items()
        }
        return Batch(columns, weights, np.array(rows, np.int32))

    def describe(self, plan: Plan) -> str:
        """Which examples a batch holds, in words."""
        return f"training examples {', '.join(map(str, plan.indices[:5]))}, … padded to {plan.length} steps"


def _pad(column: list[NDArray[Any]], chosen: NDArray[np.int64], count: int, length: int) -> Sequences:
    like = column[0]
    values, lengths = np.zeros((count, length, *like.shape[1:]), like.dtype), np.zeros(count, np.int32)
    for row, example in enumerate(chosen):
        sequence = column[example]
        values[row, : len(sequence)], lengths[row] = sequence, len(sequence)
    return Sequences(values, lengths)


def _fill(column: NDArray[Any], chosen: NDArray[np.int64], count: int) -> NDArray[Any]:
    values = np.zeros((count, *column.shape[1:]), column.dtype)
    values[: len(chosen)] = column[chosen]
    return values


def steps_per_epoch(num_examples: int, batch_size: int) -> int:
    """The number of batches of an epoch: all full but one at most."""
    return -(-num_examples // batch_size)


def plan_epoch(
    lengths: NDArray[np.integer], boundaries: tuple[int, ...], batch_size: int, seed: int, epoch: int
) -> list[Plan]:
    """The batches of a training epoch, in order: each example once, batches of one length bucket each.

    What is left over in a bucket moves up to the next, so that all batches are full but the last one of the
    longest bucket, and the number of batches does not depend on the buckets.
    """
    low, high = words(seed)
    rng = np.random.default_rng([low, epoch, high])  # NumPy fills up with zeros: those of [low, epoch]
    shuffled = rng.permutation(len(lengths))
    plans = _fill_buckets(shuffled, assign(lengths[shuffled], boundaries), boundaries, batch_size)
    return [plans[i] for i in rng.permutation(len(plans))]


def plan_evaluation(lengths: NDArray[np.integer], boundaries: tuple[int, ...], batch_size: int) -> list[Plan]:
    """Batches that hold each example once, shortest first."""
    order = np.argsort(lengths, kind="stable")
    return _fill_buckets(order, assign(lengths[order], boundaries), boundaries, batch_size)


def _fill_buckets(
    order: NDArray[np.int64], buckets: NDArray[np.int64], boundaries: tuple[int, ...], batch_size: int
) -> list[Plan]:
    plans: list[Plan] = []
    waiting = np.empty(0, np.int64)
    for bucket, length in enumerate(boundaries):
        waiting = np.concatenate([waiting, order[buckets == bucket]])
        full = len(waiting) // batch_size * batch_size
        plans += [Plan(part, length) for part in waiting[:full].reshape(-1, batch_size)]
        waiting = waiting[full:]
    if len(waiting):
        plans.append(Plan(waiting, boundaries[-1]))
    return plans


def host_rows(batch_size: int, host: int, num_hosts: int) -> range:
    """The rows of a global batch that belong to one host.

    Raises:
        ValueError: if the hosts cannot share the batch evenly, or there is no such host.
    """
    if batch_size % num_hosts or not 0 <= host < num_hosts:
        raise ValueError(f"host {host} of {num_hosts} cannot take an even share of a batch of {batch_size}")
    share = batch_size // num_hosts
    return range(host * share, (host + 1) * share)
