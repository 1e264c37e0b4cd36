"""Labelled texts of a data set of TFDS, which says itself what its features are.

The text is the one that a data set says is to be learnt from; where it does not say, all features that are
texts, by the alphabet of their names; or the one that `--text-column` names. The label is the feature that is
a class. Where the test split has no labels, as those of GLUE, the validation
split is tested on, and another is held out of the training split.
"""

import itertools
import logging
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from rnn_jax.data import cache
from rnn_jax.data.encoded_tables import EncodedRows, Rows, kept_rows
from rnn_jax.data.labelled_settings import PARTS, LabelledSettings
from rnn_jax.data.prepared import EXAMPLES, blocks_of, data_directory, one_line, quiet
from rnn_jax.data.preparing import answers, build, check_writable, make_builder
from rnn_jax.errors import UserError

VALIDATION = ("validation", "dev")  # what the split is called

log = logging.getLogger(__name__)


class Source(NamedTuple):
    """A data set of TFDS, and what is read of it."""

    builder: Any
    texts: tuple[str, ...]  # features
    label: str  # another
    splits: dict[str, str]  # by what they are for

    def text(self, example: dict[str, Any]) -> str:
        """The text of an example."""
        return "\n".join(example[text].decode() for text in self.texts)


def open_source(settings: LabelledSettings, data_dir: str | None) -> Source:
    """Opens a data set, which is prepared first where it is not.

    Raises:
        UserError: if there is no such data set, it cannot be prepared, or has no texts or labels.
    """
    name = settings.dataset.removeprefix("tfds:")
    builder = _builder(name, data_dir)
    texts, label = features_of(builder.info, settings, name)
    return Source(builder, texts, label, _splits(builder, label))


def rows_of_tfds(settings: LabelledSettings, data_dir: str | None, cache_dir: str | None) -> EncodedRows:
    """The rows of a data set, which is prepared first where it is not.

    Raises:
        UserError: as `open_source`, or if the data are damaged.
    """
    source = open_source(settings, data_dir)
    builder, texts, label, splits = source
    prepared = (Path(builder.data_path) / "dataset_info.json").stat()
    log.info("%s: %s is the text, %s the label; splits: %s", builder.name, " and ".join(texts), label, splits)
    names = builder.info.features[label].int2str

    def rows() -> Iterator[Rows]:
        for part, own in splits.items():
            for block in _read(builder, own, EXAMPLES):
                labels = [int(example[label]) for example in block]
                yield Rows(
                    [source.text(example) for example in block],
                    [names(number) if number >= 0 else None for number in labels],
                    PARTS.index(part),
                )

    parent = cache.folders(data_dir, cache_dir)[-1]
    state = [prepared.st_size, prepared.st_mtime_ns]
    size = builder.info.dataset_size
    return kept_rows([str(builder.data_path), texts, label, splits], state, rows, size, parent)


def texts_of_split(settings: LabelledSettings, data_dir: str | None, part: str) -> Iterator[tuple[str, str]]:
    """Where each row of a split is to be found, for people, and its text."""
    source = open_source(settings, data_dir)
    split, numbers = source.splits[part], itertools.count(1)
    for block in _read(source.builder, split, EXAMPLES):
        for example in block:
            yield f"{split} {next(numbers)}", source.text(example)


def features_of(info: Any, settings: LabelledSettings, name: str) -> tuple[tuple[str, ...], str]:
    """The features that are texts, and the one that is the label.

    Where a data set says itself what is learnt from (its supervised keys), and it is a text, that is the one.

    Raises:
        UserError: if there are none, or several labels, or the settings name others.
    """
    import tensorflow_datasets as tfds

    features = dict(sorted(info.features.items()))  # TFDS keeps no order
    there = {key: type(feature).__name__ for key, feature in features.items()}
    listed = ", ".join(f"{key} ({kind})" for key, kind in there.items())
    texts = [k for k, f in features.items() if isinstance(f, tfds.features.Text)]
    if settings.text_column:
        texts = [text for text in texts if text == settings.text_column]
    elif info.supervised_keys and info.supervised_keys[0] in texts:
        texts = [info.supervised_keys[0]]
    labels = [k for k, f in features.items() if isinstance(f, tfds.features.ClassLabel)]
    if settings.label_column:
        labels = [label for label in labels if label == settings.label_column]
    if not texts:
        raise UserError(f"tfds:{name}: name a Text among its features with --text-column; it has {listed}")
    if not labels and not settings.label_column:
        raise UserError(f"tfds:{name} has no labels (a ClassLabel): it has {listed}")
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
    if "test" in there and _has_label(builder, "test", label):
        splits["test"] = "test"
        if validation:
            splits["validation"] = validation
    elif validation:
        splits["test"] = validation
    return {part: splits[part] for part in PARTS if part in splits}


def _has_label(builder: Any, split: str, label: str) -> bool:
    """Whether the first example of a split has a label: those of GLUE's test splits have none."""
    first = next(_read(builder, split, 1), [])
    return bool(first) and first[0][label] >= 0


def _read(builder: Any, split: str, size: int) -> Iterator[list[dict[str, Any]]]:
    """The examples of a split, at most `size` at a time.

    Raises:
        UserError: if the data set is damaged.
    """
    blocks = blocks_of(builder, split, size)
    while True:
        try:
            with quiet():
                block = next(blocks, None)
        except Exception as error:  # array_record, protobuf and TFDS each complain in their own way
            raise UserError(
                f"the {split} split in {builder.data_path} is damaged ({one_line(error)}): delete that folder"
            ) from error
        if block is None:
            return
        yield block


def _builder(name: str, data_dir: str | None) -> Any:
    """The builder of a data set, which is prepared first where it is not."""
    import tensorflow_datasets as tfds

    root = data_directory(data_dir)
    with quiet():
        if (prepared := _prepared(root, name)) is not None:
            return tfds.builder_from_directory(prepared)
        try:
            builder = make_builder(partial(tfds.builder, name), root)
        except (tfds.core.registered.DatasetNotFoundError, ValueError) as error:
            raise UserError(
                f"TFDS knows no data set {name!r}; the names of all are in its catalog"
            ) from error
    otherwise = f"prepare it on another machine and copy {root / name}, or give files with --train"
    url = next(iter(builder.url_infos), None)
    log.info("%s is not prepared in %s; asking its server ...", name, root)
    if url and not answers(url):
        raise UserError(f"{name} is not prepared in {root}, and {url} does not answer: {otherwise}")
    check_writable(root)
    build(builder, otherwise)
    return builder


def _prepared(root: Path, name: str) -> Path | None:
    """The folder of the newest version of a data set; of one with configurations, of the only one there is.

    Raises:
        UserError: if several configurations are prepared, and the name does not say which.
    """
    folder = root / name
    found = [*folder.glob("*/dataset_info.json"), *folder.glob("*/*/dataset_info.json")]
    folders = {path.parents[1] for path in found}
    if len(folders) > 1:
        known = ", ".join(f"tfds:{path.relative_to(root)}" for path in sorted(folders))
        raise UserError(f"tfds:{name} is prepared in several configurations: choose one of {known}")
    return max((path.parent for path in found), key=_version, default=None)


def _version(folder: Path) -> list[int]:
    """The version that a folder is called, 10.0.0 after 9.0.0."""
    return [int(part) if part.isdigit() else -1 for part in folder.name.split(".")]
