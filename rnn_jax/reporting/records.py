"""Records of finished runs: files of JSON lines, a line a run, by name, dataset and seed.

A line holds `name`, `result`, `config`, `metrics` (the log, a list) and `test_correct`: which test reviews
were answered right, a bit each (`np.packbits`), in base64; null where the test split was not read, or the
task knows no right answers.
"""

import base64
import contextlib
import fcntl
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rnn_jax.durable import write_whole
from rnn_jax.errors import UserError
from rnn_jax.reporting.rows import read_rows
from rnn_jax.training.run_directory import FIRST_TASK, RunDirectory


class Record(NamedTuple):
    """What a finished run has left."""

    name: str  # of the row, the trial or the network
    config: dict[str, Any]
    metrics: list[dict[str, Any]]
    result: dict[str, Any]
    correct: NDArray[np.bool_] | None  # [N], which test reviews were answered right; None: not recorded

    @property
    def task(self) -> str:
        """The name of what was learnt."""
        return task_of(self.result)

    @property
    def key(self) -> tuple[str, str, int]:
        """Name, dataset and seed: what a file has one line of."""
        return self.name, self.result["dataset"], self.result["seed"]


def task_of(result: dict[str, Any]) -> str:
    """The name of what a run learnt; results that are older than such names are of the first task."""
    return result.get("task", FIRST_TASK)


def record_of(name: str, directory: RunDirectory) -> Record:
    """The record of the run in a directory.

    Raises:
        UserError: if the run has not finished, or a file is damaged.
    """
    result = directory.read_result()
    if result is None:
        raise UserError(f"{directory.path} has not finished: run its command again")
    config, metrics = directory.read_settings(), directory.read_metrics()
    return Record(name, config, metrics, result, _read_correct(directory.path / "test_correct.txt"))


def _read_correct(file: Path) -> NDArray[np.bool_] | None:
    """Which test examples were classified correctly, `[N]`; None where they have not been read."""
    if not file.exists():
        return None
    text = file.read_bytes().strip()
    if set(text) - set(b"01"):
        raise UserError(f"{file} is damaged (not 0s and 1s alone): train the run again")
    return np.frombuffer(text, np.uint8) == ord("1")


def read_records(file: Path, check: Callable[[Record], Any] = lambda record: record.key) -> list[Record]:
    """The records of a file; there are none where it is not there yet.

    Args:
        file: the file.
        check: raises ValueError, KeyError or TypeError for a record that lacks something.

    Raises:
        UserError: if a line cannot be read, naming it.
    """
    records = []

    def read(line: dict[str, Any]) -> None:
        record = _decoded(line)
        check(record)
        records.append(record)

    read_rows(file, read)
    return records


def add_record(file: Path, record: Record) -> None:
    """Adds a line, or replaces that of the same name, dataset and seed; the others stay as they are.

    The file is replaced as a whole, by one process after the other.

    Raises:
        UserError: if a line cannot be read, or the file cannot be written.
    """
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with _alone(file.parent):
            read = read_rows(file, lambda line: _decoded(line).key)
            lines = {_decoded(line).key: line for line in read}
            lines[record.key] = _encoded(record)
            write_whole(file, "".join(json.dumps(lines[key]) + "\n" for key in sorted(lines)))
    except OSError as error:
        raise UserError(f"{file} cannot be written: {error.strerror}") from error


def _encoded(record: Record) -> dict[str, Any]:
    packed = None
    if record.correct is not None:
        packed = base64.b64encode(np.packbits(record.correct).tobytes()).decode()
    return {
        "name": record.name,
        "result": record.result,
        "config": record.config,
        "metrics": record.metrics,
        "test_correct": packed,
    }


def _decoded(line: dict[str, Any]) -> Record:
    result, packed = line["result"], line["test_correct"]
    correct = None
    if packed is not None:
        octets = np.frombuffer(base64.b64decode(packed, validate=True), np.uint8)
        if len(octets) != -(-result["test_examples"] // 8):
            raise ValueError(f"test_correct has {8 * len(octets)} bits for {result['test_examples']} reviews")
        correct = np.unpackbits(octets, count=result["test_examples"]).astype(bool)
    return Record(line["name"], line["config"], line["metrics"], result, correct)


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Lets one process after the other change the records of a folder."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        with contextlib.suppress(OSError):  # a file system that cannot lock
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
