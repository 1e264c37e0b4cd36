"""The directory of a run: which files it holds, and what must be true of them."""

import json
import os
from pathlib import Path
from typing import Any

from rnn_jax.data.vocabulary import Vocabulary
from rnn_jax.errors import UserError
from rnn_jax.training.config import Config


class RunDirectory:
    """Paths, and reading and writing, of everything a run keeps.

    `config.json` settings, `vocabulary.txt` a word a line, `metrics.jsonl` an object a logged step,
    `checkpoints/`, and `result.json` once the run has finished.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.checkpoints = self.path / "checkpoints"
        self._config = self.path / "config.json"
        self._vocabulary = self.path / "vocabulary.txt"
        self._metrics = self.path / "metrics.jsonl"
        self._result = self.path / "result.json"

    def check_usable(self, config: Config) -> None:
        """Raises UserError if the directory is a file, or holds a run of other settings; writes nothing."""
        if self.path.exists() and not self.path.is_dir():
            raise UserError(f"--workdir {self.path} is a file: name a directory")
        if self._config.exists():
            differing = self.read_config().differences(config)
            if differing:
                raise UserError(
                    f"{self.path} holds a run with other settings ({'; '.join(differing)}): "
                    "choose another --workdir, or the recorded settings"
                )
        elif self.path.is_dir() and any(self.path.iterdir()):
            raise UserError(f"--workdir {self.path} holds other files: choose an empty or a new directory")

    def create(self, config: Config, vocabulary: Vocabulary) -> None:
        """Writes what is known before the first step.

        Raises:
            UserError: if the directory cannot be written.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            _write_whole(self._vocabulary, "".join(word + "\n" for word in vocabulary.words))
            _write_whole(self._config, json.dumps(config.to_json(), indent=2) + "\n")
        except OSError as error:
            raise UserError(f"--workdir {self.path} cannot be written: {error.strerror}") from error

    def read_config(self) -> Config:
        """The recorded settings.

        Raises:
            UserError: if this is no run directory, or the file is damaged.
        """
        if not self._config.is_file():
            raise UserError(f"{self.path} is not a run directory (no config.json): train one there first")
        return Config.from_json(_read_object(self._config), source=str(self._config))

    def read_vocabulary(self) -> Vocabulary:
        """The words that the run was trained with.

        Raises:
            UserError: if the file is missing or not UTF-8.
        """
        try:
            return Vocabulary(self._vocabulary.read_text(encoding="utf-8").splitlines())
        except (OSError, UnicodeDecodeError) as error:
            raise UserError(f"{self._vocabulary} cannot be read ({error}): train the run again") from error

    def read_result(self) -> dict[str, Any] | None:
        """The result of a finished run; None for an unfinished one."""
        return _read_object(self._result) if self._result.exists() else None

    def write_result(self, result: dict[str, Any]) -> None:
        """Records that the run has finished, and with what."""
        _write_whole(self._result, json.dumps(result, indent=2) + "\n")

    def append_metrics(self, record: dict[str, Any]) -> None:
        """Adds a line to the log and sees it to the disk: a checkpoint never knows more than the log."""
        with self._metrics.open("a", encoding="utf-8") as file:
            file.write(json.dumps(record) + "\n")
            file.flush()
            os.fsync(file.fileno())

    def read_metrics(self) -> list[dict[str, Any]]:
        """The log, a record a line; a last line cut short by a crash is left out."""
        if not self._metrics.exists():
            return []
        whole_lines = self._metrics.read_text(encoding="utf-8").split("\n")[:-1]
        return [json.loads(line) for line in whole_lines]

    def forget_metrics_after(self, step: int) -> None:
        """Drops what was logged after the checkpoint that a run goes on from: no step is logged twice."""
        kept = [record for record in self.read_metrics() if record["step"] <= step]
        _write_whole(self._metrics, "".join(json.dumps(record) + "\n" for record in kept))


def _write_whole(path: Path, text: str) -> None:
    """Replaces a file in one move: a crash leaves the old one or the new one."""
    unfinished = path.with_name(path.name + ".unfinished")
    with unfinished.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(path)


def _read_object(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UserError(f"{path} is damaged ({error}): use another --workdir, or restore the file") from error
    if not isinstance(value, dict):
        raise UserError(f"{path} is damaged (not a JSON object): use another --workdir, or restore the file")
    return value
