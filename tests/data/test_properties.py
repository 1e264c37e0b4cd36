"""What holds for all texts, lengths and batches, on random ones."""

from itertools import pairwise

import jax
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from rnn_jax.data.batches import Bucketed, host_rows, plan_epoch, plan_evaluation, steps_per_epoch
from rnn_jax.data.buckets import GRAIN, assign, choose_boundaries
from rnn_jax.data.examples import finish, finish_all, hold_out, pack
from rnn_jax.data.vocabulary import FIRST_WORD, PAD, START, UNKNOWN, Vocabulary, split_words

settings.register_profile("untimed", deadline=None)  # a busy machine is no failure
settings.load_profile("untimed")

texts = st.lists(st.text(max_size=60), max_size=12)
lengths = st.lists(st.integers(1, 100), min_size=1, max_size=60).map(lambda ns: np.array(ns, np.int32))


def examples_of(lengths):
    rng = np.random.default_rng(len(lengths))
    return pack([rng.integers(FIRST_WORD, 50, n) for n in lengths], rng.integers(0, 2, len(lengths)))


@given(texts, st.text(max_size=200))
def test_words_come_back(corpus, text):
    """All that are known, in their order; the others as unknown; and again the same."""
    vocabulary = Vocabulary.count(corpus)
    tokens = vocabulary.encode(text)
    known = set(vocabulary.words)
    expected = [word if word in known else "<unknown>" for word in split_words(text)]
    assert vocabulary.decode(tokens) == " ".join(expected)
    assert not {PAD, START} & set(tokens.tolist())
    for review in corpus:
        again = vocabulary.encode(vocabulary.decode(vocabulary.encode(review)))
        np.testing.assert_array_equal(again, vocabulary.encode(review))


@given(texts)
def test_words_are_counted(corpus):
    vocabulary = Vocabulary.count(corpus)
    counts = [sum(split_words(text).count(word) for text in corpus) for word in vocabulary.words]
    assert all(more >= less for more, less in pairwise(counts))
    assert min(counts, default=1) >= 1
    assert len(set(vocabulary.words)) == len(vocabulary.words)
    assert set(vocabulary.words) == {word for text in corpus for word in split_words(text)}
    assert Vocabulary.count(reversed(corpus)).words == vocabulary.words


@given(st.lists(st.integers(FIRST_WORD - 1, 40)), st.integers(4, 50), st.integers(2, 30))
def test_a_cut_keeps_one_end(tokens, size, max_length):
    tokens = np.array(tokens, np.int32)
    for cut in ("head", "tail"):
        finished = finish(tokens, size, max_length, cut)
        assert finished[0] == START
        assert len(finished) == min(len(tokens) + 1, max_length)
        assert finished.max() < size
        kept = finished[1:]
        original = tokens[len(tokens) - len(kept) :] if cut == "head" else tokens[: len(kept)]
        np.testing.assert_array_equal(kept, np.where(original < size, original, UNKNOWN))


@given(lengths, st.integers(1, 6))
def test_boundaries_hold_all_and_more_of_them_pad_less(lengths, count):
    boundaries = choose_boundaries(lengths, 100, count)
    assert boundaries[-1] == 100
    assert len(boundaries) <= count
    assert all(b % GRAIN == 0 for b in boundaries[:-1])
    assert list(boundaries) == sorted(set(boundaries))
    padded = np.array(boundaries)[assign(lengths, boundaries)]
    assert (padded >= lengths).all()
    more = choose_boundaries(lengths, 100, count + 1)
    assert np.array(more)[assign(lengths, more)].sum() <= padded.sum()


@given(lengths, st.integers(1, 16), st.integers(0, 5), st.integers(0, 5), st.integers(1, 4))
def test_every_example_is_in_one_batch_and_every_row_on_one_host(lengths, batch_size, seed, epoch, hosts):
    examples = examples_of(lengths)
    boundaries = choose_boundaries(lengths, 100, 3)
    batch_size *= hosts
    plans = plan_epoch(lengths, boundaries, batch_size, seed, epoch)
    assert len(plans) == steps_per_epoch(len(lengths), batch_size)
    for each in (plans, plan_evaluation(lengths, boundaries, batch_size)):
        assert sorted(i for plan in each for i in plan.indices) == list(range(len(lengths)))
    split = Bucketed(examples.columns, lengths, boundaries, batch_size)
    for plan in plans:
        whole = split.batch(plan)
        parts = [split.batch(plan, host_rows(batch_size, h, hosts)) for h in range(hosts)]
        joined = jax.tree.map(lambda *rows: np.concatenate(rows), *parts)
        jax.tree.map(np.testing.assert_array_equal, joined, whole)
        assert whole.weights.sum() == len(plan.indices)
        tokens = whole.columns["tokens"]
        assert (tokens.lengths <= plan.length).all()
        assert tokens.values.shape == (batch_size, plan.length)
        beyond = np.arange(plan.length) >= tokens.lengths[:, None]
        assert (tokens.values[beyond] == PAD).all()
        assert (tokens.values[~beyond] != PAD).all()


@given(st.lists(st.integers(0, 1), min_size=1, max_size=60), st.floats(0, 1), st.integers(0, 9))
def test_a_part_is_held_out_of_each_label(labels, fraction, seed):
    labels = np.array(labels, np.int8)
    chosen = hold_out(labels, fraction, seed)
    for label in np.unique(labels):
        of_label = labels == label
        assert (chosen & of_label).sum() == int(fraction * of_label.sum() + 1e-6)
    np.testing.assert_array_equal(chosen, hold_out(labels, fraction, seed))


@given(lengths, st.integers(2, 40), st.sampled_from(["head", "tail"]))
def test_packed_sequences_come_back(lengths, max_length, cut):
    examples = examples_of(lengths)
    finished = finish_all(examples, 30, max_length, cut)
    for one, all_of_it in zip(finished.sequences, examples.sequences, strict=True):
        np.testing.assert_array_equal(one, finish(all_of_it, 30, max_length, cut))
