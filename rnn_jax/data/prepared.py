"""Datasets that TFDS has prepared, read without TensorFlow.

`tensorflow_datasets` is imported inside the functions that need it: it brings protobuf, pandas and more.
"""

import contextlib
import io
import itertools
import json
import logging
import os
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np

from rnn_jax.data import tfrecord
from rnn_jax.errors import UserError
from rnn_jax.places import local

EXAMPLES = 8192  # that are decoded at once


def data_directory(data_dir: str | None) -> Path:
    """The TFDS directory: the argument, else `$TFDS_DATA_DIR`, else `~/tensorflow_datasets`."""
    return local(data_dir or os.environ.get("TFDS_DATA_DIR") or "~/tensorflow_datasets")


def is_prepared(folder: Path) -> bool:
    """Whether TFDS has prepared a dataset in a folder, its version included."""
    return (folder / "dataset_info.json").is_file()


def read_examples(folder: Path, split: str, configured: bool = False) -> list[dict[str, Any]]:
    """The examples of a split, in the order that TFDS wrote them.

    Args:
        folder: of the dataset, its version included.
        split: its name.
        configured: whether the folder is of a configuration, in that of its dataset.

    Raises:
        UserError: if the dataset is not prepared there, or damaged.
    """
    if not is_prepared(folder):
        root = folder.parents[1 + configured]
        name = folder.parent.relative_to(root)
        raise UserError(
            f"{name} is not prepared in {root}: run python -m experiments.prepare_data --dataset {name} "
            f"--data-dir {shlex.quote(str(root))}, or set TFDS_DATA_DIR or --data-dir to where it is"
        )
    import tensorflow_datasets as tfds

    try:
        with quiet(), _sound_as_numbers():
            return examples_of(tfds.builder_from_directory(folder), split)
    except Exception as error:  # array_record, protobuf and TFDS each complain in their own way
        raise UserError(f"the {split} split in {folder} is damaged ({one_line(error)})") from error


def in_order(folder: Path) -> bool:
    """Whether examples are written in the order in which they were made; TFDS shuffles them by default."""
    info = json.loads((folder / "dataset_info.json").read_text(encoding="utf-8"))
    return bool(info.get("disableShuffling", False))


@contextlib.contextmanager
def _sound_as_numbers() -> Iterator[None]:
    """Reads sound as the numbers that are stored: the feature of TFDS for it needs TensorFlow to be made."""
    import tensorflow_datasets as tfds

    numbers = tfds.features.Tensor(shape=(None,), dtype=np.int64)
    with mock.patch.object(tfds.features.Audio, "from_json_content", return_value=numbers):
        yield


def splits_of(folder: Path) -> list[str]:
    """The names of the splits of a prepared dataset, in the order that TFDS wrote them."""
    info = json.loads((folder / "dataset_info.json").read_text(encoding="utf-8"))
    return [split["name"] for split in info["splits"]]


def examples_of(builder: Any, split: str) -> list[dict[str, Any]]:
    """The decoded examples of a split, from both formats that TFDS writes."""
    return [example for block in blocks_of(builder, split, EXAMPLES) for example in block]


def blocks_of(builder: Any, split: str, size: int) -> Iterator[list[dict[str, Any]]]:
    """The decoded examples of a split, at most `size` at a time."""
    info = builder.info.splits[split]
    if builder.info.file_format.value == "array_record":
        source = builder.as_data_source(split)
        for start in range(0, len(source), size):  # twice as fast as one by one
            yield source.__getitems__(range(start, min(start + size, len(source))))
        return
    records = itertools.chain.from_iterable(tfrecord.read(Path(path)) for path in info.filepaths)
    read = 0
    while block := list(itertools.islice(records, size)):
        read += len(block)
        yield [builder.info.features.deserialize_example_np(record) for record in block]
    if read != info.num_examples:  # a file that ends between two records looks whole
        raise ValueError(f"{read:,} of {info.num_examples:,} examples are there")


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Keeps what TFDS logs and prints off the terminal, except for progress bars that somebody watches."""
    import tensorflow_datasets as tfds

    tfds.display_progress_bar(sys.stderr.isatty())
    absl = logging.getLogger("absl")
    level = absl.level
    absl.setLevel(logging.ERROR)
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            yield
    finally:
        absl.setLevel(level)


def one_line(error: Exception) -> str:
    """What an error says, in one line."""
    return " ".join(str(error).split()) or type(error).__name__
