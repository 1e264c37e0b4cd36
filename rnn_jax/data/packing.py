"""Several sequences in a row of a batch: little is padded, whatever their lengths."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnn_jax.data.batches import Batch, Column, Plan, Sequences, Spans, steps_per_epoch
from rnn_jax.seeds import words

MOST = 8  # sequences in a row


def pack_lengths(lengths: NDArray[np.integer], capacity: int, most: int = MOST) -> NDArray[np.int64]:
    """Which sequences share a row: `[R, most]`, places in `lengths`, -1 where a row has no more.

    The longest comes first, and each goes where it leaves least room (best fit decreasing).

    Raises:
        ValueError: if a sequence is longer than a row, or has no step.

    Example:
        >>> pack_lengths(np.array([3, 9, 5, 2]), capacity=10, most=3).tolist()
        [[1, -1, -1], [2, 0, 3]]
    """
    if lengths.min(initial=1) < 1:
        raise ValueError("a sequence of 0 steps cannot be told from a place where there is none")
    if lengths.max(initial=0) > capacity:
        raise ValueError(f"a sequence of {lengths.max()} steps does not fit into a row of {capacity}")
    rows: list[list[int]] = []
    with_room: list[list[int]] = [[] for _ in range(capacity + 1)]  # rows that are not full, by their room
    counts = np.zeros(capacity + 1, np.int64)
    for place in np.argsort(-lengths, kind="stable"):
        length = int(lengths[place])
        fitting = np.flatnonzero(counts[length:])
        if len(fitting):
            room = length + int(fitting[0])
            row = with_room[room].pop()
            counts[room] -= 1
        else:
            room, row = capacity, len(rows)
            rows.append([])
        rows[row].append(int(place))
        if len(rows[row]) < most:
            with_room[room - length].append(row)
            counts[room - length] += 1
    packed = np.full((len(rows), most), -1, np.int64)
    for row, places in enumerate(rows):
        packed[row, : len(places)] = places
    return packed


@dataclass(frozen=True, eq=False)
class Packed:
    """Examples in batches of rows, each of several sequences that follow one another.

    A column of sequences becomes one of rows; another one, `[N, ...]`, becomes `[B, K, ...]`; and `spans`
    says where in a row each example lies. Which lengths share a row is the same in all epochs, which of the
    examples of a length is there is drawn anew.

    Attributes:
        columns: of all examples, by name.
        lengths: of the examples, `[N]`.
        capacity: steps of a row, T.
        batch_size: rows a batch, over all devices of all hosts.
        beside: what else is known of the examples, by name; batches do not hold it.
    """

    columns: Mapping[str, Column]
    lengths: NDArray[np.integer]
    capacity: int
    batch_size: int
    beside: Mapping[str, NDArray[Any]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.lengths)

    @property
    def boundaries(self) -> tuple[int, ...]:
        """The lengths of batches: one."""
        return (self.capacity,)

    @cached_property
    def rows(self) -> NDArray[np.int64]:
        """Which examples share a row, were they ordered by length: `[R, K]`, -1 where there is none."""
        return pack_lengths(np.sort(self.lengths), self.capacity)

    @property
    def steps(self) -> int:
        """The number of batches of an epoch."""
        return steps_per_epoch(len(self.rows), self.batch_size)

    def epoch(self, seed: int, epoch: int) -> Sequence[Plan]:
        """The batches of a training epoch, each example once."""
        low, high = words(seed)
        rng = np.random.default_rng([low, epoch, high])
        shuffled = rng.permutation(len(self))
        return self._plans(shuffled, rng.permutation(len(self.rows)))

    def once(self) -> Sequence[Plan]:
        """The same, in an order that nobody has drawn."""
        return self._plans(np.arange(len(self)), np.arange(len(self.rows)))

    def _plans(self, examples: NDArray[np.int64], order: NDArray[np.int64]) -> list[Plan]:
        by_length = examples[np.argsort(self.lengths[examples], kind="stable")]
        rows = np.where(self.rows >= 0, by_length[self.rows], -1)[order]
        starts = range(0, len(rows), self.batch_size)
        return [Plan(rows[start : start + self.batch_size], self.capacity) for start in starts]

    def batch(self, plan: Plan, rows: range | None = None) -> Batch:
        """The rows of a batch that one host works on."""
        rows = range(self.batch_size) if rows is None else rows
        chosen = np.full((len(rows), MOST), -1, np.int64)
        own = plan.indices[rows.start : rows.stop]
        chosen[: len(own)] = own
        lengths = np.where(chosen >= 0, self.lengths[chosen], 0).astype(np.int32)
        spans = Spans((np.cumsum(lengths, axis=1) - lengths).astype(np.int32), lengths)
        columns: dict[str, Any] = {"spans": spans}
        for name, column in self.columns.items():
            columns[name] = (
                self._join(column, chosen, spans) if isinstance(column, list) else _take(column, chosen)
            )
        weights = (np.arange(len(rows)) < len(own)).astype(np.float32)
        return Batch(columns, weights, np.array(rows, np.int32))

    def _join(self, column: list[NDArray[Any]], chosen: NDArray[np.int64], spans: Spans) -> Sequences:
        like = column[0]
        values = np.zeros((len(chosen), self.capacity, *like.shape[1:]), like.dtype)
        for row, place in zip(*np.nonzero(chosen >= 0), strict=True):
            first = spans.first[row, place]
            values[row, first : first + spans.lengths[row, place]] = column[chosen[row, place]]
        return Sequences(values, spans.lengths.sum(axis=1, dtype=np.int32))

    def describe(self, plan: Plan) -> str:
        """Which examples a batch holds, in words."""
        shown = plan.indices[plan.indices >= 0][:5]
        return f"training examples {', '.join(map(str, shown))}, … in rows of {self.capacity} steps"


def _take(column: NDArray[Any], chosen: NDArray[np.int64]) -> NDArray[Any]:
    there = (chosen >= 0).reshape(*chosen.shape, *[1] * (column.ndim - 1))
    return np.where(there, column[chosen], np.zeros((), column.dtype))
