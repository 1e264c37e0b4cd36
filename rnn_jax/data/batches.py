"""The order of batches, and the batches themselves.

The order of an epoch is a pure function of (lengths, boundaries, batch size, seed, epoch): it does not
depend on devices, hosts, or what ran before. The position in the data is therefore one integer, the number
of steps taken, and every host can cut its own rows out of the same global batch.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rnn_jax.data.buckets import assign
from rnn_jax.data.examples import Examples
from rnn_jax.seeds import words

AnyArray = Any  # NumPy's where batches are made, JAX's where they are used


class Batch(NamedTuple):
    """B padded sequences."""

    tokens: AnyArray  # int32 [B, T], 0 where padded
    lengths: AnyArray  # int32 [B]
    labels: AnyArray  # int32 [B], 1 positive, 0 negative
    weights: AnyArray  # float32 [B], 0 for rows that only fill the batch up
    rows: AnyArray  # int32 [B], number of the row in the global batch, from which its random keys come
    ratios: AnyArray  # float32 [B, T, F], log-count ratios; F is 0 where none are read


class Plan(NamedTuple):
    """One batch to be made: which examples, and how far to pad them."""

    indices: NDArray[np.int64]  # [at most B]
    length: int  # T


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


def make_batch(examples: Examples, plan: Plan, batch_size: int, rows: range | None = None) -> Batch:
    """Pads the sequences of a plan into a batch, or into the `rows` of it that one host works on."""
    rows = range(batch_size) if rows is None else rows
    per_token = examples.ratio_sequences[0].shape[1] if len(examples) else 0
    batch = Batch(
        np.zeros((len(rows), plan.length), np.int32),
        np.zeros(len(rows), np.int32),
        np.zeros(len(rows), np.int32),
        np.zeros(len(rows), np.float32),
        np.array(rows, np.int32),
        np.zeros((len(rows), plan.length, per_token), np.float32),
    )
    for i, example in enumerate(plan.indices[rows.start : rows.stop]):
        sequence = examples.sequences[example]
        batch.tokens[i, : len(sequence)] = sequence
        batch.ratios[i, : len(sequence)] = examples.ratio_sequences[example]
        batch.lengths[i] = len(sequence)
        batch.labels[i] = examples.labels[example]
        batch.weights[i] = 1.0
    return batch


def host_rows(batch_size: int, host: int, num_hosts: int) -> range:
    """The rows of a global batch that belong to one host.

    Raises:
        ValueError: if the hosts cannot share the batch evenly, or there is no such host.
    """
    if batch_size % num_hosts or not 0 <= host < num_hosts:
        raise ValueError(f"host {host} of {num_hosts} cannot take an even share of a batch of {batch_size}")
    share = batch_size // num_hosts
    return range(host * share, (host + 1) * share)
