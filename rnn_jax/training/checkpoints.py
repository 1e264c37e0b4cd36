"""Checkpoints through Orbax: the latest, to go on from, and the best, to use (no other file names Orbax).

A checkpoint holds the training state of one replica as plain arrays, and a JSON object with the rest.
Nothing in it is executed when it is read.
"""

import logging
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import orbax.checkpoint as ocp
from orbax.checkpoint.checkpoint_managers import preservation_policy

from rnn_jax.errors import UserError

Tree = TypeVar("Tree")

SCORE = "validation_accuracy"


class Checkpoint(NamedTuple):
    """What is saved at a step."""

    state: Any  # a tree of NumPy arrays
    progress: dict[str, Any]  # JSON


class Checkpoints:
    """The checkpoints of one run; a context manager."""

    def __init__(self, directory: Path) -> None:
        logging.getLogger("absl").setLevel(logging.ERROR)  # Orbax reports every step of a save
        options = ocp.CheckpointManagerOptions(
            # BestN alone would drop the newest checkpoint whenever it is not the best.
            preservation_policy=preservation_policy.AnyPreservationPolicy(
                [
                    preservation_policy.LatestN(1),
                    preservation_policy.BestN(
                        get_metric_fn=lambda metrics: metrics[SCORE],
                        n=1,
                        keep_checkpoints_without_metrics=False,
                    ),
                ]
            ),
            best_fn=lambda metrics: metrics[SCORE],
            # A save has ended when `save` returns: the states here are small, and nothing is lost on exit.
            enable_async_checkpointing=False,
            cleanup_tmp_directories=True,
        )
        self._manager = ocp.CheckpointManager(directory.absolute(), options=options)

    def __enter__(self) -> "Checkpoints":
        return self

    def __exit__(self, *_: object) -> None:
        self._manager.close()

    @property
    def latest_step(self) -> int | None:
        """The step of the newest checkpoint, None without any."""
        return self._manager.latest_step()

    @property
    def best_step(self) -> int | None:
        """The step of the checkpoint with the best score (the later of equals), None without a scored one."""
        return self._manager.best_step()

    def save(self, step: int, checkpoint: Checkpoint, score: float | None) -> None:
        """Saves, and then drops what is neither the latest nor the best; `score` is None within an epoch."""
        self._manager.save(
            step,
            args=ocp.args.Composite(
                state=ocp.args.StandardSave(checkpoint.state),
                progress=ocp.args.JsonSave(checkpoint.progress),
            ),
            metrics=None if score is None else {SCORE: score},
        )

    def restore(self, step: int, like: Any) -> Checkpoint:
        """Reads a checkpoint into a tree of the structure, shapes and types of `like`.

        Raises:
            UserError: if it is damaged, or has other shapes than `like`.
        """
        try:
            restored = self._manager.restore(
                step,
                args=ocp.args.Composite(
                    state=ocp.args.StandardRestore(like), progress=ocp.args.JsonRestore()
                ),
            )
        except Exception as error:  # Orbax raises many kinds for what is one thing here
            reason = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise UserError(
                f"checkpoint {self._manager.directory / str(step)} cannot be read: {reason}"
            ) from error
        return Checkpoint(restored.state, restored.progress)
