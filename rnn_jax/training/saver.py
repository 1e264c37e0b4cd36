"""What a run has reached, seen to the disk: its log and its checkpoints, and what to do when that fails."""

import time
from collections.abc import Callable
from typing import Any, Self

import jax

from rnn_jax.training.checkpoints import Checkpoint, Checkpoints, SaveError
from rnn_jax.training.hosts import TOGETHER, is_first
from rnn_jax.training.run_directory import RunDirectory
from rnn_jax.training.tensorboard import TensorBoard

RETRIES = 1.0, 4.0, 10.0  # seconds before the last step is tried to be saved once more


class Saver:
    """Writes for a run.

    A context manager, which closes what is open.

    Args:
        directory: where to.
        tensorboard: whether the log is written for TensorBoard, too.
        report: shows a line to whoever watches.

    Attributes:
        saved: the step of the newest sound checkpoint; None without one.
        failed: whether the last attempt to save failed, and should be made again.
    """

    def __init__(
        self, directory: RunDirectory, tensorboard: bool = False, *, report: Callable[[str], None]
    ) -> None:
        self._directory, self._report = directory, report
        self._with_tensorboard = tensorboard and is_first()
        self._tensorboard: TensorBoard | None = None
        self._checkpoints = Checkpoints(directory.checkpoints)
        self.saved: int | None = None
        self.failed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._tensorboard is not None:
            self._tensorboard.close()

    def resume(self, like: Checkpoint) -> Checkpoint | None:
        """The newest sound checkpoint, read into trees like `like`; None where there is none.

        Raises:
            UserError: if there are checkpoints, and none can be read.
        """
        self.saved = self._checkpoints.newest()
        return None if self.saved is None else self._checkpoints.restore(self.saved, like)

    def start(self) -> None:
        """Drops what was written after that checkpoint: damaged ones, and lines of the log."""
        self._checkpoints.clear(self.saved)
        if is_first():
            self._directory.forget_metrics_after(self.saved or 0)
        if self._with_tensorboard:
            self._tensorboard = TensorBoard(self._directory.path, self.saved or 0, self._report)

    def log(self, record: dict[str, Any]) -> None:
        """Adds a line to the log, now or, where that fails, with a later one."""
        if is_first():
            try:
                self._directory.append_metrics(record)
            except OSError as error:
                self._report(f"warning: the log cannot be written ({error.strerror}): trying again later")
        if self._tensorboard is not None:
            self._tensorboard.log(record)

    def save(self, step: int, checkpoint: Checkpoint) -> None:
        """Saves a checkpoint, or reports that it could not be done and sets `failed`.

        Raises:
            SaveError: if it could not be done and there are other hosts, which wait where this one will not
                come; all are to be started again.
        """
        try:
            if is_first():
                self._directory.append_metrics()  # a checkpoint never knows more than the log
            self._checkpoints.save(step, checkpoint)
        except (OSError, SaveError) as error:
            self.failed = True
            message = f"step {step} cannot be saved ({error}); {self.what_is_saved()}"
            if jax.process_count() > 1:
                raise SaveError(f"{message}; {TOGETHER}") from error
            self._report(f"warning: {message}; trying again later")
        else:
            self.failed, self.saved = False, step

    def insist(self, save: Callable[[], None]) -> None:
        """Calls `save` until it succeeds, a few times.

        Raises:
            SaveError: if it never does.
        """
        for seconds in RETRIES:
            if self.failed:
                time.sleep(seconds)
                save()
        if self.failed:
            raise SaveError(f"the last step cannot be saved; {self.what_is_saved()}")

    def what_is_saved(self) -> str:
        """In words."""
        if self.saved is None:
            return "no checkpoint was saved yet"
        return f"the checkpoint of step {self.saved} is intact"
