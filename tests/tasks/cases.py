"""A small run of every task, for the tests that all of them pass."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from rnn_jax.data import texts
from rnn_jax.data.batches import Split
from rnn_jax.data.examples import NO_LABEL, START, Examples
from rnn_jax.data.labelled_texts import LabelledTexts
from rnn_jax.data.sources.drawings import Drawings, synthetic
from rnn_jax.data.sources.series import Series
from rnn_jax.data.sources.translations import Pairs, Translations
from rnn_jax.data.sources.translations import synthetic as sentences
from rnn_jax.data.texts import Corpus, Documents
from rnn_jax.data.tokenizers import END, Tokenizer
from rnn_jax.data.vectors import LabelledVectors, Vectors
from rnn_jax.data.vocabulary import FIRST_WORD, Vocabulary
from rnn_jax.settings import to_flat, with_flat
from rnn_jax.tasks import (
    TASKS,
    digits,
    forecasting,
    handwriting,
    labelled_texts,
    language_model,
    text_classification,
    translation,
    vector_classifier,
)
from rnn_jax.training.recipe import Data, Recipe
from tests.training.runs import CONFIG, WORDS, make_data

TEXT = "".join(f"{i} men and {j} more went out. " for i in range(9) for j in range(11))[:2200]
STREAM = with_flat(
    language_model.Settings(), length=20, batch_size=16, embedding_size=4, hidden_size=5, epochs=2, tied=True
)


OWN = to_flat(labelled_texts.Settings())
APART = with_flat(
    STREAM, dataset="imdb", tokens="bare", reading="apart", bidirectional=True, softmax_samples=3, length=8
)
IN_ROWS = with_flat(CONFIG, packed=True, batch_size=8, bidirectional=True, pooling="mean_max")
PACKED = with_flat(STREAM, dataset="imdb", tokens="bare", reading="packed", length=8)
THREE = with_flat(
    labelled_texts.Settings(),
    train="made up",
    **{name: value for name, value in to_flat(CONFIG).items() if name in OWN and name != "dataset"},
)
VIRTUAL = with_flat(CONFIG, adversarial=0.5, virtual_adversarial=0.5, unlabelled=True)


DIGITS = with_flat(digits.Settings(), hidden_size=4, block="residual", epochs=2, batch_size=16, pooling="max")


SERIES = with_flat(
    forecasting.Settings(),
    hidden_size=4,
    history=12,
    horizon=6,
    segment=3,
    epochs=2,
    batch_size=16,
)


PEN = with_flat(
    handwriting.Settings(), hidden_size=4, mixtures=2, epochs=2, batch_size=16, buckets=2, average_decay=0.9
)
SENTENCES = with_flat(
    translation.Settings(),
    attention="bahdanau",
    hidden_size=4,
    embedding_size=4,
    epochs=2,
    batch_size=16,
    buckets=1,
    beams=2,
)


class Case(NamedTuple):
    """Settings of two epochs of a few steps, and the data for them."""

    recipe: Recipe
    settings: Any
    data: Callable[[], Data]
    terms: Callable[[Split], int] = len  # of the sums over a split


def documents(*counts: int) -> Corpus:
    """A corpus of so many short texts a split."""
    rng = np.random.default_rng(3)
    tokenizer = Tokenizer("bare", [END, *(f"w{i}" for i in range(9))])

    def part(count: int) -> Documents:
        lengths = rng.integers(1, 12, count).astype(np.int32)
        return Documents(rng.integers(2, 11, lengths.sum()).astype(np.int32), lengths, int(lengths.sum()))

    return Corpus(tokenizer, *map(part, counts))


def both_directions(split: Any) -> int:
    """Each token is predicted forward, and but for the first of a sequence, the one before it backward."""
    return int(2 * split.lengths.sum() - len(split))


def three_labels(*counts: int) -> LabelledTexts:
    """Texts whose label is which of three words is among them."""
    rng = np.random.default_rng(5)

    def part(count: int) -> Examples:
        lengths = rng.integers(3, 12, count).astype(np.int32)
        labels = np.arange(count, dtype=np.int32) % 3
        tokens = rng.integers(FIRST_WORD + 3, 20, lengths.sum()).astype(np.int32)
        starts = np.cumsum(lengths) - lengths
        tokens[starts], tokens[starts + 1] = START, FIRST_WORD + labels
        return Examples(tokens, lengths, labels)

    train, validation, test = map(part, counts)
    return LabelledTexts(
        "made up",
        ("fish", "fruit", "meat"),
        Vocabulary(WORDS),
        train,
        validation,
        test,
        test_words=test.lengths - 1,
        rows=tuple(np.arange(len(own)) for own in (train, validation, test)),
        tables=tuple(np.zeros(len(own), np.int8) for own in (train, validation, test)),
        groups=np.arange(len(train)),
        fingerprint="same",
    )


def vectors(*counts: int) -> LabelledVectors:
    """Sequences of different lengths, whose label is which of three features is large in the end."""
    rng = np.random.default_rng(5)

    def part(count: int) -> Vectors:
        labels = np.arange(count) % 3
        sequences = [rng.normal(size=(length, 3)) for length in rng.integers(2, 40, count)]
        for sequence, label in zip(sequences, labels, strict=True):
            sequence[-1, label] += 5
        return Vectors(sequences, labels)

    return LabelledVectors("made up", ("a", "b", "c"), *map(part, counts))


def made_up_series() -> Series:
    """Two variables, one of which follows the other."""
    values = np.cumsum(np.random.default_rng(1).normal(size=(150, 2)), axis=0)
    return Series("made up", ("a", "b"), values, (90, 110, 150), 1)


def translations() -> Translations:
    """Made-up sentences, in two languages."""
    found = sentences(84)
    parts = (Pairs(*zip(*part, strict=True)) for part in (found[:44], found[44:60], found[60:]))
    return Translations("made up", *parts)


def drawings() -> Drawings:
    """Made-up ones."""
    found = synthetic(84)
    return Drawings("made up", found[:44], found[44:60], found[60:])


def points(split: Any) -> int:
    """Each point of a drawing is predicted."""
    return int(split.lengths.sum())


def words(split: Any) -> int:
    """Each word that is written, and each end."""
    return sum(map(len, split.columns["target"]))


def with_unlabelled() -> Any:
    """Reviews, and more without a label."""
    data = make_data(train=30)
    more = make_data(train=20).train
    return data._replace(unlabelled=replace(more, labels=np.full(20, NO_LABEL, np.int8)))


CASES = {
    "language_model": Case(
        TASKS["language_model"],
        STREAM,
        lambda: language_model.data_of(STREAM, texts.encode(texts.cut(TEXT), STREAM.text)),
    ),
    "language_model, texts packed": Case(
        TASKS["language_model"],
        PACKED,
        lambda: language_model.data_of(PACKED, documents(60, 20, 20)),
    ),
    "language_model, both directions of texts apart": Case(
        TASKS["language_model"],
        APART,
        lambda: language_model.data_of(APART, documents(60, 20, 20)),
        both_directions,
    ),
    "text_classification, several in a row": Case(
        TASKS["text_classification"],
        IN_ROWS,
        lambda: text_classification.data_of(IN_ROWS, make_data()),
    ),
    "text_classification": Case(
        TASKS["text_classification"],
        CONFIG,
        lambda: text_classification.data_of(CONFIG, make_data()),
    ),
    "labelled_texts, three labels": Case(
        TASKS["labelled_texts"],
        with_flat(THREE, adversarial=0.5),
        lambda: labelled_texts.data_of(THREE, three_labels(44, 16, 24)),
    ),
    "digits": Case(
        TASKS["digits"], DIGITS, lambda: vector_classifier.data_of(DIGITS, vectors(44, 16, 24), "digits")
    ),
    "forecasting": Case(
        TASKS["forecasting"],
        SERIES,
        lambda: forecasting.data_of(SERIES, made_up_series()),
        lambda split: len(split) * 6 * 2,
    ),
    "handwriting": Case(TASKS["handwriting"], PEN, lambda: handwriting.data_of(PEN, drawings()), points),
    "translation": Case(
        TASKS["translation"], SENTENCES, lambda: translation.data_of(SENTENCES, translations()), words
    ),
    "text_classification, virtual adversarial": Case(
        TASKS["text_classification"],
        VIRTUAL,
        lambda: text_classification.data_of(VIRTUAL, with_unlabelled()),
    ),
}
