"""The directory of a run: which files it holds, and what must be true of them."""

import contextlib
import fcntl
import json
import logging
import os
import platform
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from rnn_jax.durable import write_whole
from rnn_jax.errors import UserError
from rnn_jax.places import local
from rnn_jax.settings import EXTENDABLE, NEUTRAL, differences, from_flat, marked, to_flat

LOCK = "lock"
FIRST_TASK = "text_classification"  # of directories that are older than the name of a task in config.json
TIMES = {  # which no two runs share
    *("data_seconds", "elapsed_seconds", "examples_per_second", "pretraining_seconds", "train_seconds"),
}

Settings = Any  # a tree of frozen dataclasses

log = logging.getLogger(__name__)


class RunDirectory:
    """Paths, and reading and writing, of everything a run keeps.

    `config.json` settings and the name of the task, what its preprocessor needs, `metrics.jsonl` an object a
    logged step, `checkpoints/`, `result.json` once the run has finished, and beside it what the task reports
    of the test split, and `lock`, which the process that trains holds.

    Raises:
        UserError: if no local directory could have that name.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = local(path)
        self.checkpoints = self.path / "checkpoints"
        self._config = self.path / "config.json"
        self._metrics = self.path / "metrics.jsonl"
        self._result = self.path / "result.json"
        self._unwritten: list[str] = []  # lines of the log that a full disk did not take

    def check_usable(self, task: str, settings: Settings) -> None:
        """Raises UserError if the directory is a file, or holds a run of other settings; writes nothing.

        Settings marked `EXTENDABLE` may be others.
        """
        if self._holds_settings():
            differing = differences(self.read(task, settings), settings)
            extendable = marked(settings, EXTENDABLE)
            if differing.keys() - extendable:
                raise UserError(
                    f"{self.path} holds a run with other settings ({'; '.join(differing.values())}): "
                    "choose another --workdir, or the recorded settings; "
                    f"a run can go on with another {', '.join(sorted(extendable))} only"
                )

    def check_baseline(self, config: dict[str, Any]) -> None:
        """Raises UserError unless these are the settings of the baseline that the directory holds, if any."""
        if self._holds_settings():
            recorded = _read_object(self._config)
            found = {name: recorded.get(name) for name in config}
            differing = [f"{n}: {found[n]} against {config[n]}" for n in config if found[n] != config[n]]
            if differing:
                raise UserError(
                    f"{self.path} holds a run with other settings ({'; '.join(differing)}): "
                    "choose another --workdir"
                )

    def _holds_settings(self) -> bool:
        """Whether a run is recorded here; raises UserError if anything else is."""
        if self.path.exists() and not self.path.is_dir():
            raise UserError(f"--workdir {self.path} is a file: name a directory")
        if self._config.exists():
            return True
        if self.path.is_dir() and not self._is_unused():
            raise UserError(f"--workdir {self.path} holds other files: choose an empty or a new directory")
        return False

    def _is_unused(self) -> bool:
        """Whether there is nothing, or what a run leaves that is killed before its settings are written."""
        names = {path.name.removesuffix(".unfinished") for path in self.path.iterdir()}
        return not names or (LOCK in names and names <= {LOCK, self._config.name})

    @contextlib.contextmanager
    def lock(self) -> Iterator[None]:
        """Makes the directory, and keeps other processes from training in it.

        The lock is the kernel's, and ends with this process, however that ends.

        Raises:
            UserError: if another process is training here, or the directory cannot be written.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            file = (self.path / LOCK).open("ab+", buffering=0)
        except OSError as error:
            raise UserError(f"--workdir {self.path} cannot be written: {error.strerror}") from error
        with file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                file.seek(0)
                holder = file.read().decode(errors="replace").strip() or "another process"
                raise UserError(
                    f"--workdir {self.path} is in use by {holder}: wait for it, stop it, or choose another"
                ) from None
            except OSError as error:
                log.warning("warning: %s cannot be locked (%s): keep others out", self.path, error.strerror)
            with contextlib.suppress(OSError):  # a full disk must not keep a run from going on
                file.truncate(0)
                file.write(f"process {os.getpid()} on {platform.node()}\n".encode())
            yield

    def create(
        self, task: str, settings: Settings, files: Mapping[str, Callable[[Path], None]] | None = None
    ) -> None:
        """Writes what is known before the first step. A result of other settings is no longer one.

        Args:
            task: its name.
            settings: of the run.
            files: writers of what the preprocessor needs, by the names of their files.

        Raises:
            UserError: if the directory cannot be written.
        """
        try:
            if self._config.exists() and self.read(task, settings) != settings:
                self._result.unlink(missing_ok=True)
            write_whole(self._config, json.dumps({"task": task, **to_flat(settings)}, indent=2) + "\n")
            for name, write in (files or {}).items():
                write(self.path / name)
        except OSError as error:
            raise UserError(f"--workdir {self.path} cannot be written: {error.strerror}") from error

    def read_task(self) -> str:
        """The name of the task that the run learns.

        Raises:
            UserError: if this is no run directory, or the file is damaged.
        """
        if not self._config.is_file():
            raise UserError(f"{self.path} is not a run directory (no config.json): train one there first")
        return _read_object(self._config).get("task", FIRST_TASK)

    def read(self, task: str, like: Settings) -> Settings:
        """The recorded settings of a run of this task.

        Args:
            task: its name.
            like: any settings of the task.

        Raises:
            UserError: if this is no run directory, one of another task, or the file is damaged.
        """
        if (found := self.read_task()) != task:
            raise UserError(f"{self.path} holds a run of another task, {found}: choose one of {task}")
        recorded = _read_object(self._config)
        recorded.pop("task", None)
        return from_flat(type(like)(), recorded, source=str(self._config))

    def read_settings(self) -> dict[str, Any]:
        """The recorded settings of any run, as they were written, a baseline's included.

        Raises:
            UserError: if the file is missing or damaged.
        """
        return _read_object(self._config)

    def read_result(self) -> dict[str, Any] | None:
        """The result of a finished run; None for an unfinished one."""
        return _read_object(self._result) if self._result.exists() else None

    def finished(self, task: str, settings: Settings) -> dict[str, Any] | None:
        """The result, if the run has finished with these settings, but for those that change no result."""
        if not self._config.exists():
            return None
        if differences(self.read(task, settings), settings).keys() - marked(settings, NEUTRAL):
            return None
        return self.read_result()

    def write_baseline(
        self, config: dict[str, Any], result: dict[str, Any], files: Mapping[str, str]
    ) -> None:
        """Writes what a baseline that is no network leaves: other settings, no log and no checkpoints."""
        with self.lock():
            write_whole(self._config, json.dumps(config, indent=2) + "\n")
            self.write_result(result, files)

    def write_result(self, result: dict[str, Any], files: Mapping[str, str] | None = None) -> None:
        """Records that the run has finished, with what, and the files that the task reports, by name."""
        for name, content in (files or {}).items():
            write_whole(self.path / name, content)
        write_whole(self._result, json.dumps(result, indent=2) + "\n")

    def append_metrics(self, *records: dict[str, Any]) -> None:
        """Adds lines to the log and sees them to the disk: a checkpoint never knows more than the log.

        Raises:
            OSError: if they cannot be written; they are kept in memory, and come with the next.
        """
        self._unwritten += [json.dumps(record) + "\n" for record in records]
        with self._metrics.open("ab", buffering=0) as file:
            whole = file.tell()
            left = "".join(self._unwritten).encode()
            try:
                while left:
                    left = left[file.write(left) :]
                os.fsync(file.fileno())
            except OSError:
                with contextlib.suppress(OSError):
                    os.truncate(self._metrics, whole)  # half a line would spoil the next
                raise
        self._unwritten.clear()

    def read_metrics(self) -> list[dict[str, Any]]:
        """The log, a record a line; a last line cut short by a crash is left out."""
        if not self._metrics.exists():
            return []
        whole_lines = self._metrics.read_text(encoding="utf-8").split("\n")[:-1]
        return [json.loads(line) for line in whole_lines]

    def forget_metrics_after(self, step: int) -> None:
        """Drops what was logged after the checkpoint that a run goes on from: no step is logged twice."""
        kept = [record for record in self.read_metrics() if record["step"] <= step]
        write_whole(self._metrics, "".join(json.dumps(record) + "\n" for record in kept))


def _read_object(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise UserError(f"{path} is damaged ({error}): use another --workdir, or restore the file") from error
    if not isinstance(value, dict):
        raise UserError(f"{path} is damaged (not a JSON object): use another --workdir, or restore the file")
    return value
