"""Labels by a teacher: what it would answer to each review, and how they count."""

import jax.numpy as jnp
import numpy as np
import pytest

from rnn_jax.data.examples import NO_LABEL, pack
from rnn_jax.data.vocabulary import START
from rnn_jax.errors import UserError
from rnn_jax.models.functional import split
from rnn_jax.settings import with_flat
from rnn_jax.tasks.labels import count
from rnn_jax.tasks.pseudo_labels import answers, teach, with_labels
from rnn_jax.tasks.text_classification import RECIPE
from rnn_jax.tasks.text_classifier import make_model
from rnn_jax.training.recipe import Places
from rnn_jax.training.weights import open_run
from tests.tasks.cases import CASES
from tests.training.runs import CONFIG, make_run


@pytest.fixture(scope="module")
def teacher(tmp_path_factory):
    path = tmp_path_factory.mktemp("teacher")
    make_run(path, devices=1).train("command")
    return open_run(path, RECIPE)


def test_answers_are_those_to_each_review_alone(teacher, rng):
    """In the order of the reviews, cut as the teacher's own were."""
    sequences = [rng.integers(3, 20, n).astype(np.int32) for n in (4, 30, 1, 11, 12, 5)]
    found = answers(teacher, pack(sequences, np.full(6, NO_LABEL, np.int8)))
    apply, _ = split(lambda: make_model(CONFIG))
    for probability, sequence in zip(found, sequences, strict=True):
        read = np.concatenate([[START], sequence[-(CONFIG.text.max_length - 1) :]])[None]
        logit = apply(teacher.params, read, jnp.array([read.shape[1]]))[0]
        assert probability == pytest.approx(float(1 / (1 + np.exp(-logit))), abs=1e-5)


def test_only_reviews_without_a_label_get_one():
    data = CASES["text_classification, virtual adversarial"].data()
    before = data.train.columns["labels"]
    taught = with_labels(data, np.full(20, 0.75, np.float32), 0.5).train.columns
    has_label = before != NO_LABEL
    assert has_label.sum() == 30
    np.testing.assert_array_equal(taught["labels"][has_label], before[has_label])
    assert (taught["labels"][~has_label] == 0.75).all()
    np.testing.assert_array_equal(taught["importance"], np.where(has_label, 1, 0.5))


def test_a_label_between_two_costs_as_much_as_both_weighed(rng):
    logits = jnp.asarray(rng.normal(size=3), jnp.float32)
    one, zero, between = (count(logits, jnp.full(3, p), jnp.full(3, 0.5))["loss"].total for p in (1, 0, 0.7))
    np.testing.assert_allclose(between, 0.7 * one + 0.3 * zero, rtol=1e-5)


def test_a_teacher_that_has_seen_the_held_out_is_refused(teacher):
    settings = with_flat(teacher.settings, refit=True)
    with pytest.raises(Exception, match="use --refit, too"):
        teach(CASES["text_classification"].data(), CONFIG, teacher._replace(settings=settings), Places())


def test_a_teacher_that_reads_bytes_is_refused(teacher):
    settings = with_flat(teacher.settings, tokens="bytes")
    with pytest.raises(UserError, match="--teacher reads bytes"):
        teach(CASES["text_classification"].data(), CONFIG, teacher._replace(settings=settings), Places())
