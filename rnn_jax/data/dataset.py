"""From a name to data that can be trained on: which dataset it is, and its splits."""

from dataclasses import dataclass, replace
from typing import Annotated, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rnn_jax.data import review_texts
from rnn_jax.data.encoded_reviews import (
    SPLIT_SEED,
    VALIDATION_FRACTION,
    Name,
    films_of,
    held_out,
    load_bytes,
    load_encoded,
)
from rnn_jax.data.examples import NO_LABEL, Examples, finish_all, hold_out, pack
from rnn_jax.data.log_count_ratios import LogCountRatios, count_ratios
from rnn_jax.data.reading import ReadingSettings
from rnn_jax.data.vocabulary import BYTES, Vocabulary
from rnn_jax.errors import UserError
from rnn_jax.settings import Rule, require


@dataclass(frozen=True)
class TextSettings(ReadingSettings):
    """Which reviews, and what is read of them."""

    dataset: Name = "auto"
    """Reviews to train on; auto: IMDb where it is at hand or can be downloaded, else synthetic ones."""
    train_examples: Annotated[
        int | None, Rule(lambda n: n is None or (n >= 2 and n % 2 == 0), "must be 2 or more, and even")
    ] = None
    """Train on so many reviews only (an even number: half of each label), for trials; all by default."""
    tokens: Literal["words", "bytes"] = "words"
    """What a review is read as: words, without signs and in lower case, or all bytes, as they are written,
    which need --vocabulary-size 259, and the reviews in the TFDS directory."""
    unlabelled: bool = False
    """Read the unlabelled reviews, too, in training: for --virtual-adversarial, or with a --teacher."""

    def check(self) -> None:
        """Raises UserError for what bytes cannot be read with."""
        if self.tokens == "bytes":
            size = self.vocabulary_size
            require(size == BYTES.size, "vocabulary_size", size, f"must be {BYTES.size} with --tokens bytes")
            require(
                not self.unlabelled, "unlabelled", True, "these reviews are read as words: no --tokens bytes"
            )


class Dataset(NamedTuple):
    """A dataset, ready to be cut into batches."""

    name: Literal["imdb", "synthetic"]
    vocabulary: Vocabulary
    train: Examples
    validation: Examples  # a fixed, stratified part of the training split, of films of its own; may be empty
    test: Examples
    test_words: NDArray[np.int32]  # of each test review, before any was cut, where bytes are read, too
    ratios: LogCountRatios | None = None  # of the training part, where they are asked for
    unlabelled: Examples | None = None  # without labels, where they are asked for


def load(settings: TextSettings, data_dir: str | None = None, cache_dir: str | None = None) -> Dataset:
    """Loads a dataset, encoding it first where no encoded cache exists.

    Args:
        settings: which, and what is read of it. `auto` is IMDb where it is prepared or can be downloaded,
            else synthetic; IMDb that is there and cannot be read is an error all the same.
        data_dir: the TFDS directory; `$TFDS_DATA_DIR` or `~/tensorflow_datasets` by default.
        cache_dir: where the encoded dataset, of words, is kept; beside the TFDS data by default, or in
            `~/.cache/rnn_jax` where that cannot be written.

    Raises:
        UserError: if the dataset is not at hand, is damaged, or has too few examples.
    """
    resolved, encoded = load_encoded(settings.dataset, data_dir, cache_dir)
    films, test_words = films_of(encoded.train, resolved), encoded.test.lengths
    if settings.tokens == "bytes":
        encoded = load_bytes(resolved, data_dir)
    held = held_out(encoded.train, films, 0 if settings.refit else VALIDATION_FRACTION)
    chosen = np.flatnonzero(~held)
    if (wanted := settings.train_examples) is not None:
        if wanted > len(chosen):
            raise UserError(
                f"--train-examples {wanted} is more than the {len(chosen)} there are: ask for fewer"
            )
        chosen = chosen[hold_out(encoded.train.labels[chosen], wanted / len(chosen), SPLIT_SEED)]
    vocabulary = encoded.vocabulary.limit(settings.vocabulary_size)
    train, validation, test = (
        finish_all(part, vocabulary.size, settings.max_length, settings.truncate)
        for part in (encoded.train.take(chosen), encoded.train.take(np.flatnonzero(held)), encoded.test)
    )
    more = None
    if settings.unlabelled:
        if resolved != "imdb":
            raise UserError("--unlabelled: only IMDb has unlabelled reviews")
        found = unlabelled_reviews(vocabulary, data_dir, cache_dir)
        more = finish_all(found, vocabulary.size, settings.max_length, settings.truncate)
    dataset = Dataset(resolved, vocabulary, train, validation, test, test_words, unlabelled=more)
    if not settings.log_count_ratios:
        return dataset
    ratios, given = count_ratios(train, films[chosen], settings.log_count_ratios, SPLIT_SEED)
    return dataset._replace(
        train=replace(train, ratios=given),
        validation=ratios.add_to(validation),
        test=ratios.add_to(test),
        ratios=ratios,
        unlabelled=None if more is None else ratios.add_to(more),
    )


def unlabelled_reviews(
    vocabulary: Vocabulary, data_dir: str | None = None, cache_dir: str | None = None
) -> Examples:
    """The reviews that nobody has labelled, but for copies of labelled and of test reviews."""
    texts = review_texts.load("bare", data_dir, cache_dir)
    index = vocabulary.indices(texts.tokenizer.names(range(texts.tokenizer.size)))
    sequences = texts.sequences(texts.places("unlabelled"))
    return pack((index[each] for each in sequences), np.full(len(sequences), NO_LABEL, np.int8))
