"""IMDb reviews (Maas et al., 2011) through TFDS, without TensorFlow: neither to read nor to prepare them.

`tensorflow_datasets` is imported inside the functions that need it: it brings protobuf, pandas and more, and
whoever trains on synthetic reviews or from the encoded cache should not wait for them.
"""

import gzip
import hashlib
import io
import logging
import os
import re
import shlex
import tarfile
import zlib
from collections.abc import Iterator
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO, Any
from unittest import mock

import numpy as np

from rnn_jax.data.prepared import data_directory, examples_of, one_line, quiet
from rnn_jax.data.preparing import answers, build, check_writable, make_builder
from rnn_jax.data.reviews import Reviews
from rnn_jax.errors import UserError
from rnn_jax.places import local

NAME = "imdb_reviews/plain_text:1.0.0"
FOLDER = NAME.replace(":", "/")  # below the data directory
SPLITS = ("train", "test", "unsupervised")
DESCRIPTIONS = ("dataset_info.json", "features.json")
FORMATS = ("array_record", "tfrecord")  # what `prepare` writes, and what TFDS does by default
SHARD = re.compile(rf".*-({'|'.join(SPLITS)})\.(\w+)-\d+-of-\d+")

ARCHIVE = "aclImdb_v1.tar.gz"
ARCHIVE_FOLDERS = tuple(
    f"aclImdb/{folder}" for folder in ("train/pos", "train/neg", "train/unsup", "test/pos", "test/neg")
)
LARGEST_REVIEW = 2**20  # bytes; the longest has some 14,000
LARGEST_ARCHIVE = 2**31  # bytes, unpacked; the published one has less than a quarter of them
REVIEW = re.compile(rf"({'|'.join(ARCHIVE_FOLDERS)})/[^/.][^/]*\.txt")

log = logging.getLogger(__name__)


def is_prepared(data_dir: str | None = None) -> bool:
    """Whether the reviews lie in the TFDS directory, in a format that is read; it looks at names alone."""
    folder = data_directory(data_dir) / FOLDER
    try:
        return not _missing(folder)
    except OSError:  # no folder, or one that may not be entered
        return False


def is_there(data_dir: str | None = None) -> bool:
    """Whether TFDS has a folder for the reviews, whatever it holds."""
    return os.path.lexists(data_directory(data_dir) / FOLDER)


def load(split: str, data_dir: str | None = None) -> Reviews:
    """Reads a split into memory.

    Args:
        split: `train`, `test` or `unsupervised`; the labels of the last are all -1.
        data_dir: the TFDS directory; `$TFDS_DATA_DIR` or `~/tensorflow_datasets` by default.

    Raises:
        UserError: if there is no such split, or the data are not prepared, incomplete or damaged.
    """
    if split not in SPLITS:
        raise UserError(f"there is no split {split!r} of the IMDb reviews: choose one of {', '.join(SPLITS)}")
    root = data_directory(data_dir)
    if not is_prepared(data_dir):
        raise _not_prepared(root)

    import tensorflow_datasets as tfds

    try:
        with quiet():
            examples = examples_of(tfds.builder_from_directory(root / FOLDER), split)
        texts = [example["text"].decode() for example in examples]
        labels = np.array([example["label"] for example in examples], np.int8)
    # Both formats have sums of every part; array_record, protobuf and TFDS each complain in their own way.
    except Exception as error:
        raise UserError(
            f"the {split} split in {root / FOLDER} is damaged ({one_line(error)}): "
            f"delete that folder and run {_preparing(root)}"
        ) from error
    return Reviews(texts, labels)


def can_download(timeout: float = 15.0) -> bool:
    """Whether the server of the archive answers within `timeout` seconds."""
    return answers(_published()[0], timeout)


def prepare(data_dir: str | None = None, archive: str | Path | None = None) -> Path:
    """Prepares the reviews as array_record files, unless they are prepared; returns the TFDS directory.

    Args:
        data_dir: the TFDS directory; `$TFDS_DATA_DIR` or `~/tensorflow_datasets` by default.
        archive: the published `aclImdb_v1.tar.gz`; downloaded by default.

    Raises:
        UserError: if the server does not answer, the archive is not that of the reviews or is damaged, or
            the directory cannot be written. Nothing is left behind that would count as prepared.
    """
    root = data_directory(data_dir)
    if is_prepared(data_dir):
        return root
    if archive is None:
        _check_server()
    else:
        _check_archive(local(archive))
    _check_destination(root)
    _build(root, None if archive is None else local(archive))
    return root


def _preparing(root: Path) -> str:
    return f"python -m experiments.prepare_data --data-dir {shlex.quote(str(root))}"


def _shards(folder: Path) -> dict[str, set[str]]:
    """Which splits a folder holds in which file format, by the names in it."""
    found: dict[str, set[str]] = {}
    for path in folder.iterdir():
        if match := SHARD.fullmatch(path.name):
            found.setdefault(match[2], set()).add(match[1])
    return found


def _missing(folder: Path) -> list[str]:
    """What a folder lacks to be read, in the format that it has most of."""
    shards = _shards(folder)
    splits = max((shards.get(name, set()) for name in FORMATS), key=len)
    return [name for name in DESCRIPTIONS if not (folder / name).exists()] + [
        f"the {split} split" for split in SPLITS if split not in splits
    ]


def _not_prepared(root: Path) -> UserError:
    folder = root / FOLDER
    if not root.is_dir():
        return UserError(f"there is no folder {root}: prepare the IMDb reviews with {_preparing(root)}")
    if not os.path.lexists(folder):
        return UserError(f"IMDb reviews are not prepared in {root}: run {_preparing(root)}")
    again = f"move it out of the way and run {_preparing(root)}"
    try:
        others = ", ".join(sorted(_shards(folder).keys() - set(FORMATS)))
        missing = ", ".join(_missing(folder))
    except OSError as error:
        return UserError(f"{folder} cannot be read ({error.strerror}): {again}")
    if others:
        return UserError(
            f"{folder} holds the reviews as {others} files, and {' or '.join(FORMATS)} is read: {again}"
        )
    return UserError(f"{folder} is incomplete, without {missing}: {again}")


def _published() -> tuple[str, str]:
    """The archive's URL and SHA-256, as TFDS has them on record."""
    import tensorflow_datasets as tfds

    [(url, info)] = tfds.builder_cls("imdb_reviews").url_infos.items()
    return url, info.checksum


def _check_server() -> None:
    # Asked first because the downloader of TFDS goes on trying for minutes.
    if not can_download():
        raise UserError(
            f"{_published()[0]} does not answer: check the network, "
            f"or fetch {ARCHIVE} on another machine and pass it with --archive"
        )


def _check_archive(archive: Path) -> None:
    """Reads the archive once from end to end, so that nothing is written when it is of no use."""
    if not archive.exists():
        raise UserError(f"there is no file {archive}: --archive takes the published {ARCHIVE}")
    if archive.is_dir():
        raise UserError(f"{archive} is a directory: --archive takes the published {ARCHIVE}, not unpacked")
    names = [name for name, _ in _read_archive(archive)]
    empty = [folder for folder in ARCHIVE_FOLDERS if not any(name.startswith(f"{folder}/") for name in names)]
    if empty:
        raise UserError(f"{archive} has no reviews in {', '.join(empty)}: pass the published {ARCHIVE}")
    if len(set(names)) < len(names):
        raise UserError(f"{archive} has several reviews of the same name: pass the published {ARCHIVE}")
    with archive.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if digest != _published()[1]:
        log.warning(
            "warning: %s is not the published archive (its SHA-256 is %s…): figures may not compare",
            archive,
            digest[:16],
        )


def _read_archive(archive: Path) -> Iterator[tuple[str, IO[bytes]]]:
    """Yields the names and contents of the reviews, and nothing else that an archive may hold.

    Names are only compared, and nothing is unpacked, so that what `_check_member` refuses would do no harm
    here; but who passes such an archive has been given another than the published one.
    """
    try:
        with gzip.open(archive) as stream:
            with tarfile.open(fileobj=stream, mode="r|") as tar:
                for member in tar:
                    _check_member(member, archive)
                    name = member.name.removeprefix("./")
                    content = tar.extractfile(member) if REVIEW.fullmatch(name) else None
                    if content is not None:
                        text = content.read()
                        text.decode()  # what is not UTF-8 could be prepared, but not loaded
                        yield name, io.BytesIO(text)
            while stream.read(2**20):  # to the end, where gzip compares its checksum
                pass
    except (OSError, EOFError, UnicodeDecodeError, tarfile.TarError, zlib.error) as error:
        raise UserError(
            f"{archive} cannot be read as a gzipped tar archive of texts ({error}): "
            f"it is damaged, incomplete or another file; pass the published {ARCHIVE}"
        ) from error


def _check_member(member: tarfile.TarInfo, archive: Path) -> None:
    """Raises UserError for what the published archive does not hold, and an attack might."""
    path = PurePosixPath(member.name)
    is_review = REVIEW.fullmatch(member.name.removeprefix("./"))
    if not member.isreg() and not member.isdir():
        reason = "is a link or a device"
    elif path.is_absolute() or ".." in path.parts:
        reason = "leads out of the archive"
    elif is_review and member.size > LARGEST_REVIEW:
        reason = f"has {member.size:,} bytes, far more than any review"
    elif member.offset_data + member.size > LARGEST_ARCHIVE:
        reason = f"lies beyond {LARGEST_ARCHIVE:,} bytes"
    else:
        return
    raise UserError(f"{archive} is refused: {member.name!r} {reason}; pass the published {ARCHIVE}")


def _check_destination(root: Path) -> None:
    # TFDS takes any folder of that name for prepared data. In this order, another process may finish between.
    if (root / FOLDER).exists() and not is_prepared(str(root)):
        raise _not_prepared(root)
    check_writable(root)


def _build(root: Path, archive: Path | None) -> None:
    import tensorflow_datasets as tfds

    # The builder asks its download manager for the archive and then to walk it. TFDS walks archives through
    # `tf.io.gfile`, the one place on the way that needs TensorFlow, so that this method is replaced while the
    # builder runs. `download` is replaced as well where the archive is at hand: TFDS would take it from its
    # "manual" folder, but only under one name, and only the published one.
    replaced: dict[str, Any] = {"iter_archive": lambda _, path: _read_archive(Path(path))}
    if archive is not None:
        replaced["download"] = lambda _, url: archive
    try:
        with mock.patch.multiple(tfds.download.DownloadManager, **replaced):
            build(make_builder(partial(tfds.builder, NAME), root), "pass it with --archive")
    except UserError:
        if not is_prepared(str(root)):  # else another process was quicker, and the data are there
            raise
