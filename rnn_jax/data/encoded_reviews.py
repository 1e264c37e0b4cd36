"""The words of a dataset, all of them and uncut: from the encoded cache, from TFDS, or made up."""

import functools
import logging
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from rnn_jax.data import cache, imdb, prepared, synthetic
from rnn_jax.data.examples import Examples, hold_out, pack
from rnn_jax.data.films import group_films
from rnn_jax.data.vocabulary import BYTES
from rnn_jax.errors import UserError

Name = Literal["auto", "imdb", "synthetic"]

VALIDATION_FRACTION = 0.1
SPLIT_SEED = 20110619  # fixed, so that all runs of all seeds hold out the same reviews (ACL 2011 opened then)

log = logging.getLogger(__name__)


def films_of(reviews: Examples, dataset: str) -> NDArray[np.integer]:
    """Which training reviews may be of one film, a group each, `[N]`; synthetic ones are of none."""
    return group_films(reviews) if dataset == "imdb" else np.arange(len(reviews))


def held_out(
    reviews: Examples, films: NDArray[np.integer], fraction: float = VALIDATION_FRACTION
) -> NDArray[np.bool_]:
    """Which training reviews are held out to validate on, the same in all runs: `[N]`."""
    return hold_out(reviews.labels, fraction, SPLIT_SEED, films)


def load_encoded(
    name: Name, data_dir: str | None = None, cache_dir: str | None = None
) -> tuple[Literal["imdb", "synthetic"], cache.Encoded]:
    """The words of a dataset; see `rnn_jax.data.dataset.load` for arguments and errors."""
    if name == "synthetic":
        return name, _encode_synthetic()
    folders = cache.folders(data_dir, cache_dir)
    for folder in folders:
        path = cache.path_for(folder, "imdb_reviews")
        if path.is_file():
            return "imdb", cache.read(path)
    # Data that are there and cannot be read are an error: they are asked for, and nobody would expect others.
    if name == "auto" and not imdb.is_there(data_dir) and not _prepare_if_possible(data_dir):
        _warn_synthetic(data_dir)
        return "synthetic", _encode_synthetic()
    log.info("Reading and encoding IMDb reviews (once; the result is cached) ...")
    encoded = cache.encode(imdb.load("train", data_dir), imdb.load("test", data_dir))
    cache.keep(folders, cache.path_for(Path(), "imdb_reviews").name, lambda path: cache.write(path, encoded))
    return "imdb", encoded


def load_bytes(name: Literal["imdb", "synthetic"], data_dir: str | None = None) -> cache.Encoded:
    """The bytes of the same reviews, in the same order; they come from TFDS, and are not cached.

    Raises:
        UserError: if the data are not prepared, incomplete or damaged.
    """

    def read(split: str) -> Examples:
        reviews = synthetic.reviews(split) if name == "synthetic" else imdb.load(split, data_dir)
        return pack(map(BYTES.encode, reviews.texts), reviews.labels)

    return cache.Encoded(BYTES, read("train"), read("test"))


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
