import jax
import numpy as np
import pytest

from rnn_jax.data.batches import Bucketed, host_rows, plan_epoch, plan_evaluation, steps_per_epoch
from rnn_jax.data.examples import pack

BOUNDARIES = (8, 16, 40)
SIZE = 6


@pytest.fixture
def examples(rng):
    lengths = rng.integers(1, 41, 100)
    return pack([rng.integers(3, 50, n) for n in lengths], rng.integers(0, 2, 100))


def bucketed(examples):
    return Bucketed(examples.columns, examples.lengths, BOUNDARIES, SIZE)


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
    split = bucketed(examples)
    for plan in split.epoch(0, 0):
        batch = split.batch(plan)
        assert batch.columns.keys() == {"tokens", "labels"}
        tokens, labels = batch.columns["tokens"], batch.columns["labels"]
        assert tokens.values.shape == (SIZE, plan.length)
        for row, example in enumerate(plan.indices):
            sequence = examples.sequences[example]
            np.testing.assert_array_equal(tokens.values[row, : len(sequence)], sequence)
            assert not tokens.values[row, len(sequence) :].any()
            assert tokens.lengths[row] == len(sequence)
            assert labels[row] == examples.labels[example]
        assert not labels[len(plan.indices) :].any()
        assert batch.weights.tolist() == [1] * len(plan.indices) + [0] * (SIZE - len(plan.indices))
        assert batch.rows.tolist() == list(range(SIZE))


def test_a_sequence_may_have_several_columns(examples, rng):
    """Each step of a column may be a vector."""
    vectors = [rng.normal(size=(length, 3)).astype(np.float32) for length in examples.lengths]
    split = Bucketed({"vectors": vectors}, examples.lengths, BOUNDARIES, SIZE)
    (plan, *_) = split.once()
    found = split.batch(plan).columns["vectors"]
    assert found.values.shape == (SIZE, plan.length, 3)
    for row, example in enumerate(plan.indices):
        np.testing.assert_array_equal(found.values[row, : len(vectors[example])], vectors[example])
        assert not found.values[row, len(vectors[example]) :].any()


@pytest.mark.parametrize("hosts", [1, 2, 3])
def test_hosts_cut_the_same_global_batch(examples, hosts):
    split = bucketed(examples)
    for plan in split.epoch(0, 0):
        parts = [split.batch(plan, host_rows(SIZE, host, hosts)) for host in range(hosts)]
        joined = jax.tree.map(lambda *rows: np.concatenate(rows), *parts)
        jax.tree.map(np.testing.assert_array_equal, joined, split.batch(plan))


@pytest.mark.parametrize(("host", "hosts"), [(0, 4), (2, 2), (-1, 2)])
def test_an_uneven_share_is_refused(host, hosts):
    with pytest.raises(ValueError, match=f"host {host} of {hosts}"):
        host_rows(SIZE, host, hosts)
