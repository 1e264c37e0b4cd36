"""A long text in parts side by side, against the text itself."""

import jax
import numpy as np
import pytest

from rnn_jax.data.batches import host_rows
from rnn_jax.data.streams import Stream
from rnn_jax.data.texts import Documents, beginnings, join
from rnn_jax.data.tokenizers import END, Tokenizer


def stream(count, size, length):
    return Stream(np.arange(1, count + 2, dtype=np.int32), size, length)


@pytest.mark.parametrize(
    ("count", "size", "length"), [(100, 4, 5), (103, 4, 7), (17, 8, 1), (5, 8, 3), (60, 1, 60)]
)
def test_each_token_is_predicted_once_from_the_one_before(count, size, length):
    text = stream(count, size, length)
    assert len(text) == count
    predicted = []
    for plan in text.once():
        batch = text.batch(plan, range(size))
        tokens, targets = batch.columns["tokens"], batch.columns["targets"]
        counts = np.arange(length) < tokens.lengths[:, None]
        assert (targets.values[counts] == tokens.values[counts] + 1).all()
        assert not tokens.values[~counts].any()
        predicted += targets.values[counts].tolist()
    assert sorted(predicted) == list(range(2, count + 2))


def test_a_part_goes_on_where_its_last_batch_ended():
    text = stream(103, 4, 7)
    batches = [text.batch(plan, range(4)) for plan in text.epoch(0, 0)]
    assert len(batches) == text.steps
    for row in range(4):
        read = np.concatenate(
            [b.columns["tokens"].values[row, : b.columns["tokens"].lengths[row]] for b in batches]
        )
        np.testing.assert_array_equal(read, np.arange(read[0], read[0] + len(read)))
    assert [b.columns["fresh"].tolist() for b in batches] == [[True] * 4] + [[False] * 4] * (len(batches) - 1)
    again = [text.batch(plan, range(4)) for plan in text.epoch(1, 5)]
    jax.tree.map(np.testing.assert_array_equal, again, batches)


def test_texts_that_are_packed_begin_anew():
    documents = Documents(np.array([5, 6, 1, 7, 8, 9], np.int32), np.array([2, 1, 3]), 0)  # 1 is a word, too
    tokens = join(documents, Tokenizer("bare", [END]))
    assert tokens.tolist() == [1, 5, 6, 1, 1, 1, 7, 8, 9, 1]
    text = Stream(tokens, 2, 3, first=beginnings(documents))
    first, second = (text.batch(plan, range(2)).columns["resets"].tolist() for plan in text.once())
    assert first == [[True, False, False], [True, False, False]]  # reading 1 5 6, and 1 7 8
    assert second == [[True, False, False], [False, False, False]]  # reading 1 1, and 9 1
    assert "resets" not in Stream(tokens, 2, 3).batch(text.once()[0], range(2)).columns


@pytest.mark.parametrize("hosts", [2, 4])
def test_hosts_cut_the_same_global_batch(hosts):
    text = stream(103, 8, 5)
    for plan in text.once():
        parts = [text.batch(plan, host_rows(8, host, hosts)) for host in range(hosts)]
        joined = jax.tree.map(lambda *rows: np.concatenate(rows), *parts)
        jax.tree.map(np.testing.assert_array_equal, joined, text.batch(plan, range(8)))
