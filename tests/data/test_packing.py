"""Several sequences in a row: each once, none cut, and little left empty."""

import jax
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnn_jax.data.batches import host_rows
from rnn_jax.data.packing import MOST, Packed, pack_lengths


def packed(lengths, capacity, batch_size):
    lengths = np.array(lengths, np.int32)
    sequences = [np.arange(1, n + 1, dtype=np.int32) + 100 * i for i, n in enumerate(lengths)]
    columns = {"tokens": sequences, "labels": np.arange(len(lengths), dtype=np.int32)}
    return Packed(columns, lengths, capacity, batch_size)


@given(st.lists(st.integers(1, 20), max_size=60), st.integers(1, 5))
def test_each_sequence_has_one_place_in_a_row_that_holds_it(lengths, most):
    lengths = np.array(lengths, np.int64)
    rows = pack_lengths(lengths, 20, most)
    assert sorted(rows[rows >= 0]) == list(range(len(lengths)))
    assert all(lengths[row[row >= 0]].sum() <= 20 for row in rows)
    ends = (rows >= 0).sum(axis=1)
    assert all((row[:end] >= 0).all() for row, end in zip(rows, ends, strict=True))
    assert (ends > 0).all()


def test_reviews_leave_little_empty(rng):
    """Lengths as those of reviews are distributed, cut at 500."""
    lengths = np.minimum(rng.lognormal(5.2, 0.65, 5000).astype(int) + 10, 500)
    rows = pack_lengths(lengths, 500)
    assert lengths.sum() / (500 * len(rows)) > 0.97


def test_what_is_longer_than_a_row_is_refused():
    with pytest.raises(ValueError, match="a sequence of 6 steps does not fit into a row of 5"):
        pack_lengths(np.array([3, 6]), 5)
    with pytest.raises(ValueError, match="a sequence of 0 steps"):
        pack_lengths(np.array([3, 0]), 5)


def test_an_epoch_holds_each_example_once_and_deals_out_those_of_a_length_anew():
    split = packed([4, 4, 4, 2, 2, 7, 1, 10], 10, 2)
    plans = split.epoch(0, 0)
    assert len(plans) == split.steps == len(split.epoch(3, 5))
    seen = np.concatenate([plan.indices[plan.indices >= 0] for plan in plans])
    assert sorted(seen) == list(range(8))
    again = [plan.indices.tolist() for plan in split.epoch(0, 0)]
    assert again == [plan.indices.tolist() for plan in plans]
    assert len({str([p.indices.tolist() for p in split.epoch(0, epoch)]) for epoch in range(8)}) > 4
    assert [len(plan.indices) for plan in split.once()] == [2] * split.steps


def test_a_batch_says_where_its_examples_lie():
    split = packed([4, 3, 2, 9], 10, 2)
    for plan in (*split.epoch(0, 0), *split.once()):
        batch = split.batch(plan)
        tokens, spans, labels = (batch.columns[name] for name in ("tokens", "spans", "labels"))
        assert tokens.values.shape == (2, 10)
        assert spans.first.shape == labels.shape == (2, MOST)
        for row in range(2):
            assert tokens.lengths[row] == spans.lengths[row].sum()
            assert not tokens.values[row, tokens.lengths[row] :].any()
            for place, length in enumerate(spans.lengths[row]):
                first, number = spans.first[row, place], labels[row, place]
                expected = np.arange(1, length + 1) + 100 * number
                np.testing.assert_array_equal(tokens.values[row, first : first + length], expected)
                assert length > 0 or number == 0


@pytest.mark.parametrize("hosts", [2, 4])
def test_hosts_cut_the_same_global_batch(hosts, rng):
    split = packed(rng.integers(1, 20, 50), 20, 8)
    for plan in split.epoch(1, 2):
        parts = [split.batch(plan, host_rows(8, host, hosts)) for host in range(hosts)]
        joined = jax.tree.map(lambda *rows: np.concatenate(rows), *parts)
        jax.tree.map(np.testing.assert_array_equal, joined, split.batch(plan))
    last = split.batch(split.epoch(1, 2)[-1])
    assert last.weights.sum() == len(split.rows) - 8 * (split.steps - 1)
