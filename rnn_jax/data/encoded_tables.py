"""Labelled rows as integers: cut into words on all cores, and kept in a folder, so that it is done once.

Words are numbered as they come, in all rows alike; which of them a network knows is decided later, by those
of its training rows alone. The tokens stay in their file and are mapped into memory: the text of a table is
never there as a whole, whatever its size.
"""

import contextlib
import hashlib
import json
import logging
import multiprocessing
import shutil
import tempfile
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from rnn_jax.cores import cores
from rnn_jax.data.examples import NO_LABEL
from rnn_jax.data.vocabulary import split_words
from rnn_jax.durable import move, sync
from rnn_jax.errors import UserError

VERSION = 2  # of the words and the files: raise it when either would come out otherwise
COLUMNS = {"lengths": np.int32, "labels": np.int32, "keys": np.uint64, "parts": np.int8}  # a number a row
WORTH_PROCESSES = 2**24  # bytes from which starting further processes takes less time than it saves

log = logging.getLogger(__name__)

Item = TypeVar("Item")
Result = TypeVar("Result")


class Rows(NamedTuple):
    """Some rows: their texts, and their labels; "" and None for none."""

    texts: list[str]
    labels: list[str | None]
    part: int  # which of several tables they are from


class EncodedRows(NamedTuple):
    """N rows as integers."""

    words: list[str]  # by token
    label_names: list[str]  # by label, as they came
    tokens: NDArray[np.int32]  # of one row after the other, mapped into memory
    lengths: NDArray[np.int32]  # [N]
    labels: NDArray[np.int32]  # [N], `NO_LABEL` for none
    keys: NDArray[np.uint64]  # [N], equal for rows of the same words in the same order
    parts: NDArray[np.int8]  # [N], which of several tables

    @property
    def starts(self) -> NDArray[np.int64]:
        """Where each row begins among the tokens: `[N]`."""
        return np.cumsum(self.lengths, dtype=np.int64) - self.lengths

    @property
    def numbers(self) -> NDArray[np.int64]:
        """The number of each row in its table, from 1 on: `[N]`; rows of a table follow each other."""
        sizes = np.bincount(self.parts, minlength=1)
        return np.arange(len(self.parts)) - (np.cumsum(sizes) - sizes)[self.parts] + 1


class _Block(NamedTuple):
    words: list[str]
    tokens: NDArray[np.int32]  # into these words
    lengths: NDArray[np.int32]
    keys: NDArray[np.uint64]


def _encode(rows: Rows) -> _Block:
    """The words of some texts, numbered as they come."""
    index: dict[str, int] = {}
    tokens: list[int] = []
    lengths, keys = np.zeros(len(rows.texts), np.int32), np.zeros(len(rows.texts), np.uint64)
    for row, text in enumerate(rows.texts):
        words = split_words(text)
        tokens += [index.setdefault(word, len(index)) for word in words]
        lengths[row] = len(words)
        digest = hashlib.blake2b("\0".join(words).encode(), digest_size=8).digest()
        keys[row] = int.from_bytes(digest, "little")
    return _Block(list(index), np.array(tokens, np.int32), lengths, keys)


def map_in_order(
    function: Callable[[Item], Result], items: Iterable[Item], workers: int
) -> Iterator[tuple[Item, Result]]:
    """The items and what becomes of them, in order, in other processes; few at a time are in memory."""
    if workers < 2:
        yield from ((item, function(item)) for item in items)
        return
    # Not forked: a process in which JAX has started must not be.
    with ProcessPoolExecutor(workers, multiprocessing.get_context("spawn")) as pool:
        waiting: deque[tuple[Item, Future[Result]]] = deque()
        try:
            for item in items:
                waiting.append((item, pool.submit(function, item)))
                if len(waiting) > 2 * workers:
                    first, future = waiting.popleft()
                    yield first, future.result()
            for first, future in waiting:
                yield first, future.result()
        finally:
            pool.shutdown(cancel_futures=True)


def kept_rows(
    source: Any, state: Any, rows: Callable[[], Iterable[Rows]], size: int, parent: Path
) -> EncodedRows:
    """The rows of some source: those that are kept of it, or encoded now, and kept; older ones are deleted.

    Args:
        source: what tells it from others; of what JSON holds.
        state: what tells whether it has changed; of what JSON holds.
        rows: the source, in order.
        size: bytes that it is about.
        parent: the folder that all are kept in.

    Raises:
        UserError: if they are damaged, or cannot be written.
    """
    of_source, of_state = (
        hashlib.sha256(json.dumps(each).encode()).hexdigest()[:16] for each in ([VERSION, source], state)
    )
    folder = parent / f"texts-{of_source}-{of_state}"
    if folder.is_dir():
        return read_rows(folder)
    log.info("Reading texts (once; the result is cached) ...")
    found = encode_rows(rows(), size, folder)
    for older in parent.glob(f"texts-{of_source}-*"):
        if older != folder:
            shutil.rmtree(older, ignore_errors=True)
    return found


def encode_rows(rows: Iterable[Rows], size: int, folder: Path) -> EncodedRows:
    """Encodes rows and keeps them in a folder, in one move.

    Args:
        rows: in order.
        size: bytes that they are about.
        folder: to be made.

    Raises:
        UserError: if the folder cannot be written.
    """
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        unfinished = Path(tempfile.mkdtemp(prefix="unfinished-", dir=folder.parent))
    except OSError as error:
        raise UserError(f"{folder.parent} cannot be written ({error.strerror}): use --cache-dir") from error
    try:
        _write(rows, _workers(size), unfinished)
        with contextlib.suppress(OSError):
            move(unfinished, folder)
        if not folder.is_dir():  # else another process was quicker
            raise UserError(f"{folder} cannot be made: use --cache-dir")
    except OSError as error:
        raise UserError(f"{folder} cannot be written ({error.strerror}): use --cache-dir") from error
    except BrokenProcessPool as error:
        raise UserError("a process that encodes texts was ended, perhaps for want of memory") from error
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    return read_rows(folder)


def _workers(size: int) -> int:
    return cores() if size >= WORTH_PROCESSES else 1


def _write(rows: Iterable[Rows], workers: int, folder: Path) -> None:
    index: dict[str, int] = {}
    label_index: dict[str, int] = {}
    columns: dict[str, list[NDArray[Any]]] = {name: [np.empty(0, dtype)] for name, dtype in COLUMNS.items()}
    with (folder / "tokens").open("wb") as file:
        for own, block in map_in_order(_encode, rows, workers):
            numbers = np.array([index.setdefault(word, len(index)) for word in block.words], np.int32)
            file.write(numbers[block.tokens].tobytes() if len(numbers) else b"")
            labels = [
                NO_LABEL if label is None else label_index.setdefault(label, len(label_index))
                for label in own.labels
            ]
            part = np.full(len(labels), own.part, np.int8)
            found: tuple[NDArray[Any], ...] = (block.lengths, np.array(labels, np.int32), block.keys, part)
            for column, array in zip(columns.values(), found, strict=True):
                column.append(array)
    for name, parts in columns.items():
        np.save(folder / f"{name}.npy", np.concatenate(parts), allow_pickle=False)
    names = {"words": list(index), "labels": list(label_index)}
    (folder / "names.json").write_text(json.dumps(names), encoding="utf-8")
    for path in folder.iterdir():
        sync(path)


def read_rows(folder: Path) -> EncodedRows:
    """Reads what `encode_rows` has kept.

    Raises:
        UserError: if it is damaged.
    """
    try:
        names = json.loads((folder / "names.json").read_text(encoding="utf-8"))
        arrays = {name: np.load(folder / f"{name}.npy", allow_pickle=False) for name in COLUMNS}
        tokens = np.empty(0, np.int32)
        if (folder / "tokens").stat().st_size:
            tokens = np.asarray(np.memmap(folder / "tokens", np.int32, mode="r"))
        found = EncodedRows(names["words"], names["labels"], tokens, **arrays)
        if found.lengths.sum(dtype=np.int64) != len(tokens):
            raise ValueError("tokens are missing")
    except (OSError, ValueError, KeyError, EOFError) as error:
        raise UserError(f"{folder} is damaged ({error}): delete it, and it is made again") from error
    return found
