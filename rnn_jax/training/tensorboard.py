"""The figures of a run for TensorBoard, beside its own log.

`tensorboard --logdir runs` shows those of all runs below a folder.
"""

from pathlib import Path
from typing import Any

from rnn_jax.errors import UserError

FOLDER = "tensorboard"
NOT_SHOWN = {"kind", "epoch", "step", "elapsed_seconds"}


class TensorBoard:
    """Writes event files.

    Args:
        directory: of the run.
        step: from which it goes on; what was written for later steps does not count any more.

    Raises:
        UserError: if tensorboardX is not installed.
    """

    def __init__(self, directory: Path, step: int) -> None:
        try:
            from tensorboardX import SummaryWriter
        except ImportError as error:
            raise UserError(
                "--logger tensorboard needs tensorboardX: pip install 'rnn-jax[tensorboard]'"
            ) from error
        # The names of files hold the second alone: a run that goes on at once has another.
        suffix = f".from-step-{step}"
        self._writer = SummaryWriter(str(directory / FOLDER), purge_step=step + 1, filename_suffix=suffix)

    def log(self, record: dict[str, Any]) -> None:
        """Adds the figures of a record of the log: `train/loss` and the like, `epoch/validation_loss`."""
        for name, value in record.items():
            if name not in NOT_SHOWN and value is not None:
                self._writer.add_scalar(f"{record['kind']}/{name}", value, record["step"])

    def close(self) -> None:
        """Writes what is left."""
        self._writer.close()
