"""Checkpoints through Orbax (no other file names it), each sealed with checksums.

A checkpoint is a folder with its step for a name. It holds the training state of one replica, to go on from,
and the best weights so far, to use, both as plain arrays; a JSON object with the rest; and a manifest. It is
made under another name, and gets its own when all of it is on the disk, so that a folder with a step for a
name was whole once. Orbax restores a flipped byte without a word: every file is compared with its checksum
before it is read. Nothing in a checkpoint is executed.
"""

import contextlib
import itertools
import logging
import shutil
from pathlib import Path
from typing import Any, NamedTuple

import jax
import orbax.checkpoint as ocp

from rnn_jax.durable import move
from rnn_jax.errors import RunError, UserError
from rnn_jax.training.hosts import is_first, meet
from rnn_jax.training.manifest import damage_of, seal

KEPT = 2  # the newest, and the one before it in case the newest is damaged
LOOKS = 10  # at the checkpoints of a run that goes on and drops those that are being read

# Orbax may go on writing after a save that failed: each has a name of its own, the same on all hosts.
_attempts = itertools.count(1)

log = logging.getLogger(__name__)


class SaveError(RunError):
    """A checkpoint could not be saved. Older ones are as they were."""


class Checkpoint(NamedTuple):
    """What is saved at a step, or what to read it into."""

    state: Any  # a tree of NumPy arrays; None to read it not
    best: Any  # a tree of NumPy arrays; None where nothing is the best yet
    progress: dict[str, Any]  # JSON


class Checkpoints:
    """The checkpoints of one run, in a folder of theirs."""

    def __init__(self, directory: Path) -> None:
        logging.getLogger("absl").setLevel(logging.CRITICAL)  # Orbax reports all it does; errors it raises
        self._directory = directory.absolute()
        self._orbax = ocp.Checkpointer(ocp.CompositeCheckpointHandler())

    def newest(self) -> int | None:
        """The step of the newest sound checkpoint; None where none was ever saved. Damaged ones are reported.

        Raises:
            UserError: if there are checkpoints, and all are damaged.
        """
        steps = self._steps()
        damages: list[str] = []
        for step in steps:
            damage = damage_of(self._folder(step))
            if damage is None:
                for reported in damages:
                    log.warning("warning: %s: going back to step %d", reported, step)
                return step
            damages.append(f"checkpoint {self._folder(step)} is damaged ({damage})")
        if damages:
            raise UserError(
                f"{'; '.join(damages)}: none is left to go on from; "
                "bring one back from a copy, or start again in another --workdir"
            )
        return None

    def clear(self, newest: int | None) -> None:
        """Makes room to go on from the newest sound checkpoint.

        Newer ones, which are damaged, are given other names; what is left of saves that were cut short goes.
        """
        if is_first():
            for step in self._steps():
                if step > (newest or 0):
                    aside = self._directory / f"{step}.damaged"
                    shutil.rmtree(aside, ignore_errors=True)
                    self._folder(step).rename(aside)
            self._clear_unfinished()
        meet("checkpoints are cleared")

    def save(self, step: int, checkpoint: Checkpoint) -> None:
        """Saves, and then drops what is older than the newest `KEPT`.

        Raises:
            SaveError: if it cannot be saved, as on a full disk.
        """
        unfinished = self._directory / f"{step}.unfinished-{next(_attempts)}"
        items: dict[str, Any] = {
            "state": ocp.args.StandardSave(checkpoint.state),
            "progress": ocp.args.JsonSave(checkpoint.progress),
        }
        if checkpoint.best is not None:
            items["best"] = ocp.args.StandardSave(checkpoint.best)
        self._clear_unfinished()
        try:
            self._orbax.save(unfinished, args=ocp.args.Composite(**items), force=True)
            if is_first():
                seal(unfinished, str(step))
                move(unfinished, self._folder(step))
        except Exception as error:  # Orbax, TensorStore and the file system each raise their own
            self._clear_unfinished()
            raise SaveError(_reason(error)) from error
        meet("a checkpoint is saved")
        if is_first():
            for old in self._steps()[KEPT:]:
                self._drop(old)

    def restore(self, step: int, like: Checkpoint) -> Checkpoint:
        """Reads a checkpoint into trees of the structure, shapes and types of `like`.

        Raises:
            UserError: if it cannot be read, or has other shapes than `like`.
        """
        folder = self._folder(step)
        items: dict[str, Any] = {"progress": ocp.args.JsonRestore()}
        if like.state is not None:
            items["state"] = ocp.args.StandardRestore(like.state)
        if (folder / "best").is_dir():
            items["best"] = ocp.args.StandardRestore(like.best)
        try:
            restored = self._orbax.restore(folder, args=ocp.args.Composite(**items))
        except Exception as error:  # Orbax raises many kinds for what is one thing here
            raise UserError(f"checkpoint {folder} cannot be read: {_reason(error)}") from error
        found = Checkpoint(*(restored.get(item) for item in Checkpoint._fields))
        for mine, theirs in ((found.state, like.state), (found.best, like.best)):
            if mine is not None and _kinds(mine) != _kinds(theirs):  # Orbax does not mind
                raise UserError(f"checkpoint {folder} is of another network, or of another version")
        return found

    def read(self, like: Checkpoint) -> Checkpoint | None:
        """The newest sound checkpoint, as `restore` reads it, also while its run goes on; None without one.

        The run may drop a checkpoint while it is being read. By then it has saved a newer one.

        Raises:
            UserError: if there are checkpoints, and none can be read.
        """
        for left in reversed(range(LOOKS)):
            steps = self._steps()
            try:
                newest = self.newest()
                return None if newest is None else self.restore(newest, like)
            except (UserError, OSError):
                if not left or self._steps() == steps:
                    raise
        raise AssertionError("the last look returns or raises")

    def _steps(self) -> list[int]:
        """The steps of all checkpoints, newest first."""
        try:
            names = [path.name for path in self._directory.iterdir()]
        except FileNotFoundError:
            return []
        return sorted((int(name) for name in names if name.isdecimal()), reverse=True)

    def _clear_unfinished(self) -> None:
        if is_first():
            for pattern in ("*.unfinished*", "*.dropped"):  # Orbax adds to the name while it writes
                for path in self._directory.glob(pattern):
                    shutil.rmtree(path, ignore_errors=True)

    def _drop(self, step: int) -> None:
        """Removes a checkpoint, in a way that half of one never bears its name."""
        going = self._directory / f"{step}.dropped"
        with contextlib.suppress(OSError):  # it is in nobody's way; the next start clears it
            self._folder(step).rename(going)
            shutil.rmtree(going)

    def _folder(self, step: int) -> Path:
        return self._directory / str(step)


def _kinds(tree: Any) -> list[tuple[Any, Any]]:
    return [(leaf.shape, leaf.dtype) for leaf in jax.tree.leaves(tree)]


def _reason(error: Exception) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__
