"""Labelled texts of any kind, from files or from TFDS, ready to be cut into batches."""

import hashlib
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rnn_jax.data.encoded_tables import EncodedRows
from rnn_jax.data.examples import START, UNKNOWN, Examples
from rnn_jax.data.label_types import STRING, type_for
from rnn_jax.data.labelled_files import rows_of_files, texts_of_file
from rnn_jax.data.labelled_settings import PARTS, LabelledSettings
from rnn_jax.data.labelled_splits import split_rows
from rnn_jax.data.tfds_texts import rows_of_tfds, texts_of_split
from rnn_jax.data.vocabulary import FIRST_WORD, Vocabulary

BLOCK = 20_000  # rows that are worked on at once
MOST_UNKNOWN = 0.3  # of the words of a split, before it is said

log = logging.getLogger(__name__)


class LabelledTexts(NamedTuple):
    """Splits of labelled texts, ready to be cut into batches."""

    name: str
    labels: tuple[str, ...]  # by number
    vocabulary: Vocabulary
    train: Examples
    validation: Examples
    test: Examples
    test_words: NDArray[np.int32]  # the words of each test text, before any was cut
    rows: tuple[NDArray[np.int64], ...]  # of each split, the number of a text's row in its file,
    tables: tuple[NDArray[np.int8], ...]  # and which file that is: an index into `PARTS`
    groups: NDArray[np.int64]  # of training texts: those that are equal
    fingerprint: str  # of all texts and labels, and of which split each is in
    text_column: str = ""  # of the training file, where there is one
    label_type: str = STRING  # of the labels there


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
        name = Path(settings.train).name
        rows, text_column, label_type = rows_of_files(settings, cache_dir)
    else:
        name, text_column, label_type = settings.dataset, "", STRING
        rows = rows_of_tfds(settings, data_dir, cache_dir)
    splits = split_rows(name, rows, settings.refit)
    train, validation, test = map(splits.chosen, PARTS)
    starts = rows.starts
    index, vocabulary = _count_words(rows, starts, train, settings.vocabulary_size)

    def finished(chosen: NDArray[np.int64]) -> Examples:
        lengths, tokens = _finish(rows, starts, chosen, index, settings)
        return Examples(tokens, lengths, splits.numbers[chosen])

    split_of = {part: finished(chosen) for part, chosen in zip(PARTS, (train, validation, test), strict=True)}
    _say_unknown(split_of["test"])
    digest = hashlib.sha256("\0".join(splits.labels).encode())
    for array in (rows.keys, splits.numbers, splits.parts):
        digest.update(array.tobytes())
    return LabelledTexts(
        name,
        splits.labels,
        vocabulary,
        **split_of,
        test_words=rows.lengths[test],
        rows=tuple(rows.numbers[chosen] for chosen in (train, validation, test)),
        tables=tuple(rows.parts[chosen] for chosen in (train, validation, test)),
        groups=splits.groups[train],
        fingerprint=digest.hexdigest(),
        text_column=text_column,
        label_type=type_for(splits.labels, label_type),
    )


def _say_unknown(texts: Examples) -> None:
    """Warns where a network would read next to nothing of new texts."""
    words = len(texts.tokens) - len(texts)
    unknown = (texts.tokens == UNKNOWN).sum() / max(words, 1)
    if unknown > MOST_UNKNOWN:
        log.warning(
            "warning: %.0f%% of the words of the test split are not among the words that are learnt: "
            "a word is a run of letters or digits, and so is a text without spaces",
            100 * unknown,
        )


def originals(
    settings: LabelledSettings,
    tables: NDArray[np.int8],
    rows: NDArray[np.int64],
    data_dir: str | None = None,
) -> list[tuple[str, str]]:
    """Where some texts are to be found, for people, and the texts as they are written.

    Args:
        settings: which texts there are.
        tables: which file each of N texts is in, indices into `PARTS`: `[N]`.
        rows: its row there, from 1 on: `[N]`.
        data_dir: the TFDS directory.

    Raises:
        UserError: as `load`.
    """
    found: dict[tuple[int, int], tuple[str, str]] = {}
    for table in np.unique(tables).tolist():
        part, wanted = PARTS[table], set(rows[tables == table].tolist())
        own = settings.dataset == "files"
        texts = texts_of_file(settings, part) if own else texts_of_split(settings, data_dir, part)
        for number, text in enumerate(texts, 1):
            if number in wanted:
                found[table, number] = text
    return [found[place] for place in zip(tables.tolist(), rows.tolist(), strict=True)]


def _count_words(
    rows: EncodedRows, starts: NDArray[np.int64], chosen: NDArray[np.int64], size: int
) -> tuple[NDArray[np.int32], Vocabulary]:
    """The words of the training rows, the most frequent first, and the index of each word of all rows."""
    counts = np.zeros(len(rows.words), np.int64)
    for block in _blocks(chosen):
        places = _places(starts[block], rows.lengths[block])
        counts += np.bincount(rows.tokens[places], minlength=len(counts))
    there = np.flatnonzero(counts)
    order = sorted(there.tolist(), key=lambda word: (-counts[word], rows.words[word]))[: size - FIRST_WORD]
    index = np.full(len(rows.words), UNKNOWN, np.int32)
    index[order] = np.arange(FIRST_WORD, FIRST_WORD + len(order), dtype=np.int32)
    return index, Vocabulary([rows.words[word] for word in order])


def _finish(
    rows: EncodedRows,
    starts: NDArray[np.int64],
    chosen: NDArray[np.int64],
    index: NDArray[np.int32],
    settings: LabelledSettings,
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """What the network reads of some rows, as `rnn_jax.data.examples.finish` says: lengths, and tokens."""
    kept = np.minimum(rows.lengths[chosen], settings.max_length - 1)
    lost = rows.lengths[chosen] - kept if settings.truncate == "head" else 0
    begins = starts[chosen] + lost
    lengths = (kept + 1).astype(np.int32)
    tokens = np.full(lengths.sum(dtype=np.int64), START, np.int32)
    position = 0
    for first, own in zip(_blocks(begins), _blocks(kept), strict=True):
        words = index[rows.tokens[_places(first, own)]]
        inside = np.ones(len(words) + len(own), bool)
        inside[np.cumsum(own + 1) - own - 1] = False
        tokens[position : position + len(inside)][inside] = words
        position += len(inside)
    return lengths, tokens


def _places(starts: NDArray[np.int64], lengths: NDArray[np.integer]) -> NDArray[np.int64]:
    """The places of some stretches, one after the other: `[N], [N] -> [sum of lengths]`."""
    ends = np.cumsum(lengths, dtype=np.int64)
    return np.repeat(starts - (ends - lengths), lengths) + np.arange(ends[-1] if len(ends) else 0)


def _blocks(array: NDArray[Any]) -> Iterator[NDArray[Any]]:
    """Parts of an array, so that what is made of them stays small."""
    for start in range(0, len(array), BLOCK):
        yield array[start : start + BLOCK]
