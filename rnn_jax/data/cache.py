"""The encoded dataset in one file, so that words are counted once and training starts at once.

The file alone is enough to train: a machine without TFDS, or without a network, needs only this. It holds
every word of the training split, most frequent first, and each split as indices into them, so that one file
serves every vocabulary size, maximum length and truncation. It is an `.npz` archive of plain arrays, read
without pickle.
"""

import logging
import os
import platform
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rnn_jax.data import prepared
from rnn_jax.data.examples import Examples, pack
from rnn_jax.data.reviews import Reviews
from rnn_jax.data.vocabulary import Vocabulary
from rnn_jax.durable import whole_file
from rnn_jax.errors import UserError
from rnn_jax.places import local

VERSION = 1  # of the words and of the file: raise it when `split_words` or the layout below changes

log = logging.getLogger(__name__)


class Encoded(NamedTuple):
    """A dataset as integers."""

    vocabulary: Vocabulary  # every word of the training split
    train: Examples
    test: Examples


def encode(train: Reviews, test: Reviews) -> Encoded:
    """Counts the words of the training split and encodes both splits with them."""
    vocabulary = Vocabulary.count(train.texts)
    return Encoded(
        vocabulary,
        pack(map(vocabulary.encode, train.texts), train.labels),
        pack(map(vocabulary.encode, test.texts), test.labels),
    )


def path_for(folder: Path, dataset: str) -> Path:
    """Where the encoded dataset lies in a folder."""
    return folder / f"{dataset}-encoded-v{VERSION}.npz"


def write(path: Path, encoded: Encoded) -> None:
    """Writes the file in one move: it is either whole or absent.

    Raises:
        OSError: if it cannot be written.
    """
    arrays: dict[str, NDArray[Any]] = {
        "words": np.frombuffer("\n".join(encoded.vocabulary.words).encode(), np.uint8)
    }
    for split, examples in (("train", encoded.train), ("test", encoded.test)):
        arrays |= {
            f"{split}_tokens": examples.tokens,
            f"{split}_lengths": examples.lengths,
            f"{split}_labels": examples.labels,
        }
    write_arrays(path, arrays)


def write_arrays(path: Path, arrays: dict[str, NDArray[Any]]) -> None:
    """Writes arrays into a file, in one move.

    Raises:
        OSError: if it cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    # Runs that start side by side on one machine, or on many, each write a file of their own.
    unfinished = path.with_name(f"{path.name}.{platform.node()}-{os.getpid()}")
    try:
        with whole_file(path, unfinished) as file:
            np.savez_compressed(file, allow_pickle=False, **arrays)
    except OSError:
        unfinished.unlink(missing_ok=True)
        raise


def folders(data_dir: str | None, cache_dir: str | None) -> list[Path]:
    """Where encoded data may lie, the preferred place first."""
    if cache_dir is not None:
        return [local(cache_dir)]
    own = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "rnn_jax"
    return [prepared.data_directory(data_dir) / "rnn_jax", own]


def keep(places: list[Path], name: str, write: Callable[[Path], None]) -> None:
    """Writes a file into the first of some folders that takes it; says where, or that none does."""
    for folder in places:
        try:
            write(folder / name)
        except OSError as error:
            log.info("The encoded data cannot be kept in %s (%s)", folder, error.strerror)
        else:
            log.info("Encoded data cached in %s", folder / name)
            return


def read(path: Path) -> Encoded:
    """Reads the file.

    Raises:
        UserError: if it is damaged, or not such a file.
    """
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            words = arrays["words"].tobytes().decode().split("\n")
            train, test = (
                Examples(arrays[f"{s}_tokens"], arrays[f"{s}_lengths"], arrays[f"{s}_labels"])
                for s in ("train", "test")
            )
    # zipfile checks every array's CRC-32 as it reads.
    except (OSError, ValueError, KeyError, EOFError, MemoryError, zipfile.BadZipFile, zlib.error) as error:
        raise UserError(f"{path} is damaged ({error}): delete it, and it is made again") from error
    return Encoded(Vocabulary(words), train, test)
