"""Labelled texts of any kind, from files or from TFDS, ready to be cut into batches."""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rnn_jax.data.encoded_tables import EncodedRows
from rnn_jax.data.examples import START, UNKNOWN, Examples, Truncate
from rnn_jax.data.labelled_files import rows_of_files
from rnn_jax.data.labelled_settings import PARTS, LabelledSettings
from rnn_jax.data.labelled_splits import split_rows
from rnn_jax.data.tfds_texts import rows_of_tfds
from rnn_jax.data.vocabulary import FIRST_WORD, Vocabulary

BLOCK = 20_000  # rows that are worked on at once


class LabelledTexts(NamedTuple):
    """Splits of labelled texts, ready to be cut into batches."""

    name: str
    labels: tuple[str, ...]  # by number
    vocabulary: Vocabulary
    train: Examples
    validation: Examples
    test: Examples
    test_words: NDArray[np.int32]  # the words of each test text, before any was cut
    rows: tuple[NDArray[np.int64], ...]  # of each split, the number of a text's row in its file
    groups: NDArray[np.int64]  # of training texts: those that are equal
    fingerprint: str  # of all texts and labels


def load(
    settings: LabelledSettings, data_dir: str | None = None, cache_dir: str | None = None
) -> LabelledTexts:
    """Reads the texts, and says what is odd about them.

    Args:
        settings: which, and what is read of them.
        data_dir: the TFDS directory.
        cache_dir: where encoded rows are kept; by default in `~/.cache/rnn_jax`.

    Raises:
        UserError: if a file cannot be read, has no such column, changes meanwhile, or holds nothing to learn
            from; if a data set is not prepared; or if a split has a label that is not trained on.
    """
    if settings.dataset == "files":
        name, rows = Path(settings.train).name, rows_of_files(settings, cache_dir)
    else:
        name, rows = settings.dataset, rows_of_tfds(settings, data_dir, cache_dir)
    splits = split_rows(name, rows, settings.refit)
    train, validation, test = map(splits.chosen, PARTS)
    index, vocabulary = _count_words(rows, train, settings.vocabulary_size)

    def finished(chosen: NDArray[np.int64]) -> Examples:
        return _finish(rows, chosen, splits.numbers[chosen], index, settings.max_length, settings.truncate)

    digest = hashlib.sha256(
        rows.keys.tobytes() + splits.numbers.tobytes() + "\0".join(splits.labels).encode()
    )
    return LabelledTexts(
        name,
        splits.labels,
        vocabulary,
        finished(train),
        finished(validation),
        finished(test),
        test_words=rows.lengths[test],
        rows=tuple(rows.numbers[chosen] for chosen in (train, validation, test)),
        groups=splits.groups[train],
        fingerprint=digest.hexdigest(),
    )


def _count_words(
    rows: EncodedRows, chosen: NDArray[np.int64], size: int
) -> tuple[NDArray[np.int32], Vocabulary]:
    """The words of the training rows, the most frequent first, and the index of each word of all rows."""
    counts = np.zeros(len(rows.words), np.int64)
    for block in _blocks(chosen):
        counts += np.bincount(
            rows.tokens[_places(rows, block, rows.lengths[block], True)], minlength=len(counts)
        )
    there = np.flatnonzero(counts)
    order = sorted(there.tolist(), key=lambda word: (-counts[word], rows.words[word]))[: size - FIRST_WORD]
    index = np.full(len(rows.words), UNKNOWN, np.int32)
    index[order] = np.arange(FIRST_WORD, FIRST_WORD + len(order), dtype=np.int32)
    return index, Vocabulary([rows.words[word] for word in order])


def _finish(
    rows: EncodedRows,
    chosen: NDArray[np.int64],
    labels: NDArray[np.int32],
    index: NDArray[np.int32],
    max_length: int,
    cut: Truncate,
) -> Examples:
    """What the network reads of some rows: see `rnn_jax.data.examples.finish`."""
    kept = np.minimum(rows.lengths[chosen], max_length - 1)
    lengths = (kept + 1).astype(np.int32)
    tokens = np.full(lengths.sum(dtype=np.int64), START, np.int32)
    position = 0
    for block, own in zip(_blocks(chosen), _blocks(kept), strict=True):
        words = index[rows.tokens[_places(rows, block, own, last=cut == "head")]]
        inside = np.ones(len(words) + len(own), bool)
        inside[np.cumsum(own + 1) - own - 1] = False
        tokens[position : position + len(inside)][inside] = words
        position += len(inside)
    return Examples(tokens, lengths, labels)


def _places(
    rows: EncodedRows, chosen: NDArray[np.int64], kept: NDArray[np.integer], last: bool
) -> NDArray[np.int64]:
    """Where the last, or first, `kept` tokens of some rows are."""
    starts = rows.starts[chosen] + (rows.lengths[chosen] - kept if last else 0)
    ends = np.cumsum(kept, dtype=np.int64)
    return np.repeat(starts - (ends - kept), kept) + np.arange(ends[-1] if len(ends) else 0)


def _blocks(array: NDArray[Any]) -> Iterator[NDArray[Any]]:
    """Parts of an array, so that what is made of them stays small."""
    for start in range(0, len(array), BLOCK):
        yield array[start : start + BLOCK]
