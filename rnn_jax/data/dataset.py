"""From a name to data that can be trained on: which dataset it is, and its splits."""

import functools
import logging
import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rnn_jax.data import cache, imdb, prepared, synthetic
from rnn_jax.data.examples import Examples, Truncate, finish_all, hold_out
from rnn_jax.data.films import group_films
from rnn_jax.data.log_count_ratios import PATTERNS, LogCountRatios, count_ratios
from rnn_jax.data.vocabulary import Vocabulary
from rnn_jax.errors import UserError
from rnn_jax.places import local
from rnn_jax.settings import Rule, above, at_least

Name = Literal["auto", "imdb", "synthetic"]

VALIDATION_FRACTION = 0.1
SPLIT_SEED = 20110619  # fixed, so that all runs of all seeds hold out the same reviews (ACL 2011 opened then)

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class TextSettings:
    """Which texts, and what is read of them."""

    dataset: Name = "auto"
    """Reviews to train on; auto: IMDb where it is at hand or can be downloaded, else synthetic ones."""
    vocabulary_size: Annotated[int, at_least(4)] = 10_000
    """Number of token indices: the most frequent words of the training split, and 3 special ones."""
    max_length: Annotated[int, above(0), Rule(lambda n: n >= 2, "must leave room for a word: 2 or more")] = (
        500
    )
    """Longest review in tokens; longer ones are cut."""
    truncate: Truncate = "head"
    """Side that a longer review loses: head keeps its last words, tail its first."""
    log_count_ratios: Annotated[
        int, Rule(lambda n: 0 <= n <= len(PATTERNS), f"must be from 0 to {len(PATTERNS)}")
    ] = 0
    """Naive Bayes log-count ratios read beside each word vector: 1, of the word; 2 and 3, also of the two and
    three words that end with it; 4 and 5, also of pairs with one or two words between them; 0, none."""
    train_examples: Annotated[
        int | None, Rule(lambda n: n is None or (n >= 2 and n % 2 == 0), "must be 2 or more, and even")
    ] = None
    """Train on so many reviews only (an even number: half of each label), for trials; all by default."""
    refit: bool = False
    """Train on the validation reviews, too, when all settings have been chosen; the last epoch counts."""
    buckets: Annotated[int, above(0)] = 6
    """Number of lengths that batches are padded to; each is compiled once."""


class Dataset(NamedTuple):
    """A dataset, ready to be cut into batches."""

    name: Literal["imdb", "synthetic"]
    vocabulary: Vocabulary
    train: Examples
    validation: Examples  # a fixed, stratified part of the training split, of films of its own; may be empty
    test: Examples
    test_words: NDArray[np.int32]  # the words of each test review, before any was cut
    ratios: LogCountRatios | None = None  # of the training part, where they are asked for


def load(settings: TextSettings, data_dir: str | None = None, cache_dir: str | None = None) -> Dataset:
    """Loads a dataset, encoding it first where no encoded cache exists.

    Args:
        settings: which, and what is read of it. `auto` is IMDb where it is prepared or can be downloaded,
            else synthetic; IMDb that is there and cannot be read is an error all the same.
        data_dir: the TFDS directory; `$TFDS_DATA_DIR` or `~/tensorflow_datasets` by default.
        cache_dir: where the encoded dataset is kept; beside the TFDS data by default, or in
            `~/.cache/rnn_jax` where that cannot be written.

    Raises:
        UserError: if the dataset is not at hand, is damaged, or has too few examples.
    """
    resolved, encoded = _load_encoded(settings.dataset, data_dir, cache_dir)
    films = group_films(encoded.train) if resolved == "imdb" else np.arange(len(encoded.train))
    held_out = hold_out(encoded.train.labels, 0 if settings.refit else VALIDATION_FRACTION, SPLIT_SEED, films)
    chosen = np.flatnonzero(~held_out)
    if (wanted := settings.train_examples) is not None:
        if wanted > len(chosen):
            raise UserError(
                f"--train-examples {wanted} is more than the {len(chosen)} there are: ask for fewer"
            )
        chosen = chosen[hold_out(encoded.train.labels[chosen], wanted / len(chosen), SPLIT_SEED)]
    vocabulary = encoded.vocabulary.limit(settings.vocabulary_size)
    train, validation, test = (
        finish_all(part, vocabulary.size, settings.max_length, settings.truncate)
        for part in (encoded.train.take(chosen), encoded.train.take(np.flatnonzero(held_out)), encoded.test)
    )
    if not settings.log_count_ratios:
        return Dataset(resolved, vocabulary, train, validation, test, encoded.test.lengths)
    ratios, given = count_ratios(train, films[chosen], settings.log_count_ratios, SPLIT_SEED)
    train = replace(train, ratios=given)
    validation, test = ratios.add_to(validation), ratios.add_to(test)
    return Dataset(resolved, vocabulary, train, validation, test, encoded.test.lengths, ratios)


def _load_encoded(
    name: Name, data_dir: str | None, cache_dir: str | None
) -> tuple[Literal["imdb", "synthetic"], cache.Encoded]:
    if name == "synthetic":
        return name, _encode_synthetic()
    for folder in _cache_folders(data_dir, cache_dir):
        path = cache.path_for(folder, "imdb_reviews")
        if path.is_file():
            return "imdb", cache.read(path)
    # Data that are there and cannot be read are an error: they are asked for, and nobody would expect others.
    if name == "auto" and not imdb.is_there(data_dir) and not _prepare_if_possible(data_dir):
        _warn_synthetic(data_dir)
        return "synthetic", _encode_synthetic()
    log.info("Reading and encoding IMDb reviews (once; the result is cached) ...")
    encoded = cache.encode(imdb.load("train", data_dir), imdb.load("test", data_dir))
    _write_cache(encoded, _cache_folders(data_dir, cache_dir))
    return "imdb", encoded


def _prepare_if_possible(data_dir: str | None) -> bool:
    log.info("IMDb reviews are not prepared here; asking their server ...")
    if not imdb.can_download():
        return False
    try:
        imdb.prepare(data_dir)
    except UserError as error:
        log.warning("Preparing IMDb failed: %s", error)
        return False
    return True


def _warn_synthetic(data_dir: str | None) -> None:
    rule = "!" * 100
    log.warning(
        "%s\n"
        "IMDb is neither prepared in %s nor can it be downloaded: training on SYNTHETIC REVIEWS instead.\n"
        "Figures from this run say nothing about IMDb. To train on IMDb, prepare it first, in a clone:\n"
        "    python -m experiments.prepare_data --archive aclImdb_v1.tar.gz\n"
        "%s",
        rule,
        prepared.data_directory(data_dir),
        rule,
    )


@functools.cache
def _encode_synthetic() -> cache.Encoded:
    return cache.encode(synthetic.reviews("train"), synthetic.reviews("test"))


def _cache_folders(data_dir: str | None, cache_dir: str | None) -> list[Path]:
    """Where an encoded cache may lie, the preferred place first."""
    if cache_dir is not None:
        return [local(cache_dir)]
    own = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "rnn_jax"
    return [prepared.data_directory(data_dir) / "rnn_jax", own]


def _write_cache(encoded: cache.Encoded, folders: list[Path]) -> None:
    for folder in folders:
        path = cache.path_for(folder, "imdb_reviews")
        try:
            cache.write(path, encoded)
        except OSError as error:
            log.info("The encoded data cannot be kept in %s (%s)", folder, error.strerror)
        else:
            log.info("Encoded data cached in %s", path)
            return
