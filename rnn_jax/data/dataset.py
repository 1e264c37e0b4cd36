"""From a name to data that can be trained on: which dataset it is, and its splits."""

import functools
import logging
import os
from dataclasses import replace
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rnn_jax.data import cache, imdb, synthetic
from rnn_jax.data.examples import Examples, Truncate, finish_all, hold_out
from rnn_jax.data.films import group_films
from rnn_jax.data.log_count_ratios import LogCountRatios, count_ratios
from rnn_jax.data.vocabulary import Vocabulary
from rnn_jax.errors import UserError
from rnn_jax.places import local

Name = Literal["auto", "imdb", "synthetic"]

VALIDATION_FRACTION = 0.1
SPLIT_SEED = 20110619  # fixed, so that all runs of all seeds hold out the same reviews (ACL 2011 opened then)

log = logging.getLogger(__name__)


class Dataset(NamedTuple):
    """A dataset, ready to be cut into batches."""

    name: Literal["imdb", "synthetic"]
    vocabulary: Vocabulary
    train: Examples
    validation: Examples  # a fixed, stratified part of the training split, of films of its own; may be empty
    test: Examples
    test_words: NDArray[np.int32]  # the words of each test review, before any was cut
    ratios: LogCountRatios | None = None  # of the training part, where they are asked for


def load(
    name: Name,
    *,
    vocabulary_size: int,
    max_length: int,
    truncate: Truncate,
    log_count_ratios: int = 0,
    train_examples: int | None = None,
    refit: bool = False,
    data_dir: str | None = None,
    cache_dir: str | None = None,
) -> Dataset:
    """Loads a dataset, encoding it first where no encoded cache exists.

    Args:
        name: `imdb`, `synthetic`, or `auto`: IMDb where it is prepared or can be downloaded, else synthetic.
            IMDb that is there and cannot be read is an error all the same.
        vocabulary_size: the number of token indices, special ones included.
        max_length: the longest sequence, start token included.
        truncate: the side that longer reviews lose.
        log_count_ratios: how many patterns of n-grams have their ratios come with each token; 0 for none.
        train_examples: keep only so many training examples, stratified; all by default.
        refit: hold nothing out: the validation part is empty, and all of the training split is trained on.
        data_dir: the TFDS directory; `$TFDS_DATA_DIR` or `~/tensorflow_datasets` by default.
        cache_dir: where the encoded dataset is kept; beside the TFDS data by default, or in
            `~/.cache/rnn_jax` where that cannot be written.

    Raises:
        UserError: if the dataset is not at hand, is damaged, or has too few examples.
    """
    resolved, encoded = _load_encoded(name, data_dir, cache_dir)
    films = group_films(encoded.train) if resolved == "imdb" else np.arange(len(encoded.train))
    held_out = hold_out(encoded.train.labels, 0 if refit else VALIDATION_FRACTION, SPLIT_SEED, films)
    chosen = np.flatnonzero(~held_out)
    if train_examples is not None:
        if train_examples > len(chosen):
            raise UserError(
                f"--train-examples {train_examples} is more than the {len(chosen)} there are: ask for fewer"
            )
        chosen = chosen[hold_out(encoded.train.labels[chosen], train_examples / len(chosen), SPLIT_SEED)]
    vocabulary = encoded.vocabulary.limit(vocabulary_size)
    train, validation, test = (
        finish_all(part, vocabulary.size, max_length, truncate)
        for part in (encoded.train.take(chosen), encoded.train.take(np.flatnonzero(held_out)), encoded.test)
    )
    if not log_count_ratios:
        return Dataset(resolved, vocabulary, train, validation, test, encoded.test.lengths)
    ratios, given = count_ratios(train, films[chosen], log_count_ratios, SPLIT_SEED)
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
        imdb.data_directory(data_dir),
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
    return [imdb.data_directory(data_dir) / "rnn_jax", own]


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
