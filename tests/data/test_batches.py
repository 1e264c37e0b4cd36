import numpy as np
import pytest

from rnn_jax.data.batches import host_rows, make_batch, plan_epoch, plan_evaluation, steps_per_epoch
from rnn_jax.data.examples import pack

BOUNDARIES = (8, 16, 40)
SIZE = 6


@pytest.fixture
def examples(rng):
    lengths = rng.integers(1, 41, 100)
    return pack([rng.integers(3, 50, n) for n in lengths], rng.integers(0, 2, 100))


def test_an_epoch_holds_every_example_once_in_full_batches(examples):
    plans = plan_epoch(examples.lengths, BOUNDARIES, SIZE, seed=0, epoch=0)
    assert sorted(np.concatenate([p.indices for p in plans])) == list(range(100))
    assert len(plans) == steps_per_epoch(100, SIZE) == 17
    assert sorted(len(p.indices) for p in plans) == [4] + [SIZE] * 16
    for plan in plans:
        assert plan.length in BOUNDARIES
        assert examples.lengths[plan.indices].max() <= plan.length


def test_most_batches_hold_one_bucket_only(examples):
    """What is left over moves up; at most one batch a boundary mixes."""
    plans = plan_epoch(examples.lengths, BOUNDARIES, SIZE, seed=0, epoch=0)
    shorter = {8: 0, 16: 8, 40: 16}
    mixed = [p for p in plans if examples.lengths[p.indices].min() <= shorter[p.length]]
    assert len(mixed) <= len(BOUNDARIES) - 1


def order(lengths, seed, epoch):
    return [p.indices.tolist() for p in plan_epoch(lengths, BOUNDARIES, SIZE, seed, epoch)]


def test_the_order_is_a_function_of_seed_and_epoch(examples):
    first = order(examples.lengths, 1, 2)
    order(examples.lengths, 5, 5)  # what ran before does not matter
    assert order(examples.lengths, 1, 2) == first
    assert order(examples.lengths, 1, 3) != first
    assert order(examples.lengths, 2, 2) != first


def test_lengths_come_in_no_order(examples):
    lengths = [p.length for p in plan_epoch(examples.lengths, BOUNDARIES, SIZE, 0, 0)]
    assert lengths not in (sorted(lengths), sorted(lengths, reverse=True))


def test_evaluation_sees_every_example_once(examples):
    plans = plan_evaluation(examples.lengths, BOUNDARIES, SIZE)
    assert sorted(np.concatenate([p.indices for p in plans])) == list(range(100))
    assert [p.length for p in plans] == sorted(p.length for p in plans)


def test_a_batch_holds_the_sequences_and_nothing_else(examples):
    plans = plan_epoch(examples.lengths, BOUNDARIES, SIZE, seed=0, epoch=0)
    for plan in plans:
        batch = make_batch(examples, plan, SIZE)
        assert batch.ratios.shape == (SIZE, plan.length, 0)
        assert batch.tokens.shape == (SIZE, plan.length)
        for row, example in enumerate(plan.indices):
            sequence = examples.sequences[example]
            np.testing.assert_array_equal(batch.tokens[row, : len(sequence)], sequence)
            assert not batch.tokens[row, len(sequence) :].any()
            assert batch.lengths[row] == len(sequence)
            assert batch.labels[row] == examples.labels[example]
        assert batch.weights.tolist() == [1] * len(plan.indices) + [0] * (SIZE - len(plan.indices))
        assert batch.rows.tolist() == list(range(SIZE))


@pytest.mark.parametrize("hosts", [1, 2, 3])
def test_hosts_cut_the_same_global_batch(examples, hosts):
    for plan in plan_epoch(examples.lengths, BOUNDARIES, SIZE, seed=0, epoch=0):
        whole = make_batch(examples, plan, SIZE)
        parts = [make_batch(examples, plan, SIZE, host_rows(SIZE, host, hosts)) for host in range(hosts)]
        for field, pieces in zip(whole, zip(*parts, strict=True), strict=True):
            np.testing.assert_array_equal(field, np.concatenate(pieces))


@pytest.mark.parametrize(("host", "hosts"), [(0, 4), (2, 2), (-1, 2)])
def test_an_uneven_share_is_refused(host, hosts):
    with pytest.raises(ValueError, match=f"host {host} of {hosts}"):
        host_rows(SIZE, host, hosts)
