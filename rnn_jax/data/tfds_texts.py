"""Labelled texts of a data set of TFDS, which says itself what its features are.

All features that are texts are read, one after the other, unless `--text-column` names some; the label is the
feature that is a class. Where the test split has no labels, as those of GLUE, the validation split is tested
on, and another is held out of the training split.
"""

import hashlib
import json
import logging
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from rnn_jax.data import cache
from rnn_jax.data.encoded_tables import VERSION, EncodedRows, Rows, encode_rows, read_rows
from rnn_jax.data.labelled_settings import PARTS, LabelledSettings
from rnn_jax.data.prepared import data_directory, examples_of, one_line, quiet
from rnn_jax.data.preparing import build, check_writable
from rnn_jax.errors import UserError

BLOCK_ROWS = 8192
VALIDATION = ("validation", "dev")  # what the split is called

log = logging.getLogger(__name__)


def rows_of_tfds(settings: LabelledSettings, data_dir: str | None, cache_dir: str | None) -> EncodedRows:
    """The rows of a data set, which is prepared first where it is not.

    Raises:
        UserError: if there is no such data set, it cannot be prepared, is damaged, or has no texts or labels.
    """
    name = settings.dataset.removeprefix("tfds:")
    builder = _builder(name, data_dir)
    texts, label = features_of(builder.info.features, settings, name)
    splits = _splits(builder, label)
    key = json.dumps([VERSION, str(builder.data_path), texts, label, splits])
    folder = cache.folders(data_dir, cache_dir)[-1] / f"texts-{hashlib.sha256(key.encode()).hexdigest()[:16]}"
    if folder.is_dir():
        return read_rows(folder)
    log.info(
        "Reading %s (once; the result is cached): %s is the text, %s the label; splits: %s ...",
        name,
        " and ".join(texts),
        label,
        splits,
    )
    names = builder.info.features[label].int2str

    def rows() -> Iterator[Rows]:
        for part, own in splits.items():
            examples = _read(builder, own)
            for start in range(0, len(examples), BLOCK_ROWS):
                block = examples[start : start + BLOCK_ROWS]
                yield Rows(
                    ["\n".join(example[text].decode() for text in texts) for example in block],
                    [names(int(example[label])) if example[label] >= 0 else None for example in block],
                    PARTS.index(part),
                )

    return encode_rows(rows(), builder.info.dataset_size, folder)


def features_of(features: Any, settings: LabelledSettings, name: str) -> tuple[tuple[str, ...], str]:
    """The features that are texts, and the one that is the label.

    Raises:
        UserError: if there are none, or several labels, or the settings name others.
    """
    import tensorflow_datasets as tfds

    there = {key: type(feature).__name__ for key, feature in features.items()}
    listed = ", ".join(f"{key} ({kind})" for key, kind in there.items())
    texts = [k for k, f in features.items() if isinstance(f, tfds.features.Text)]
    if settings.text_column:
        texts = [text for text in texts if text == settings.text_column]
    labels = [k for k, f in features.items() if isinstance(f, tfds.features.ClassLabel)]
    if settings.label_column:
        labels = [label for label in labels if label == settings.label_column]
    if not texts:
        raise UserError(f"tfds:{name}: name a Text among its features with --text-column; it has {listed}")
    if len(labels) != 1:
        raise UserError(f"tfds:{name}: name the ClassLabel with --label-column; it has {listed}")
    return tuple(texts), labels[0]


def _splits(builder: Any, label: str) -> dict[str, str]:
    """The splits to read, by what they are for: those that have labels."""
    there = list(builder.info.splits)
    if "train" not in there:
        raise UserError(f"{builder.name} has no training split: it has {', '.join(there)}")
    splits = {"train": "train"}
    validation = next((name for name in VALIDATION if name in there), None)
    has_test = "test" in there and any(example[label] >= 0 for example in _read(builder, "test"))
    if has_test:
        splits["test"] = "test"
        if validation:
            splits["validation"] = validation
    elif validation:
        splits["test"] = validation
    return splits


def _read(builder: Any, split: str) -> Sequence[dict[str, Any]]:
    try:
        with quiet():
            return examples_of(builder, split)
    except Exception as error:  # array_record, protobuf and TFDS each complain in their own way
        raise UserError(
            f"the {split} split in {builder.data_path} is damaged ({one_line(error)}): delete that folder"
        ) from error


def _builder(name: str, data_dir: str | None) -> Any:
    """The builder of a prepared data set."""
    import tensorflow_datasets as tfds

    root = data_directory(data_dir)
    folder = root / name
    versions = sorted(path.parent for path in Path(folder).glob("*/dataset_info.json"))
    with quiet():
        if versions:
            return tfds.builder_from_directory(versions[-1])
        try:
            builder = tfds.builder(name, data_dir=root, file_format="array_record")
        except (tfds.core.registered.DatasetNotFoundError, ValueError) as error:
            raise UserError(f"TFDS knows no data set {name!r}: {one_line(error)[:200]}") from error
    log.info("%s is not prepared in %s; downloading and preparing it ...", name, root)
    check_writable(root)
    build(builder, "prepare it on another machine and copy the folder, or use --train with files")
    return builder
