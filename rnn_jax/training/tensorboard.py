"""The figures of a run for TensorBoard, beside its own log.

`tensorboard --logdir runs` shows those of all runs below a folder.
"""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rnn_jax.errors import UserError

FOLDER = "tensorboard"
NOT_SHOWN = {"kind", "epoch", "step", "elapsed_seconds"}


class TensorBoard:
    """Writes an event file.

    It is written at once, and not by a thread, which a full disk would end.

    Args:
        directory: of the run.
        step: from which it goes on; what was written for later steps does not count any more.
        report: shows a line to whoever watches.

    Raises:
        UserError: if tensorboardX is not installed, or the file cannot be made.
    """

    def __init__(self, directory: Path, step: int, report: Callable[[str], None]) -> None:
        try:
            from tensorboardX import summary
            from tensorboardX.event_file_writer import EventsWriter
            from tensorboardX.proto import event_pb2
        except ImportError as error:
            raise UserError("--logger tensorboard needs tensorboardX: pip install tensorboardX") from error
        self._event, self._scalar, self._report = event_pb2.Event, summary.scalar, report
        folder = directory / FOLDER
        try:
            folder.mkdir(exist_ok=True)
            # The names of files hold the second alone: a run that goes on at once has another.
            self._file = EventsWriter(str(folder / "events"), f".from-step-{step}")
            log = event_pb2.SessionLog(status=event_pb2.SessionLog.START)
            self._file.write_event(self._event(wall_time=time.time(), step=step + 1, session_log=log))
        except OSError as error:
            raise UserError(f"{folder} cannot be written: {error.strerror}") from error

    def log(self, record: dict[str, Any]) -> None:
        """Adds the figures of a record of the log: `train/loss` and the like, `epoch/validation_loss`."""
        try:
            for name, value in record.items():
                if name not in NOT_SHOWN and value is not None:
                    figure = self._scalar(f"{record['kind']}/{name}", value)
                    self._file.write_event(
                        self._event(wall_time=time.time(), step=record["step"], summary=figure)
                    )
            self._file.flush()
        except OSError as error:
            self._report(f"warning: the file for TensorBoard cannot be written ({error.strerror})")

    def close(self) -> None:
        """Writes what is left."""
        try:
            self._file.close()
        except OSError as error:
            self._report(f"warning: the file for TensorBoard cannot be written ({error.strerror})")
