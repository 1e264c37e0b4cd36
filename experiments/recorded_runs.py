"""Runs whose records are kept: each trains in a directory of its own, then becomes a line of a file."""

from collections.abc import Sequence
from pathlib import Path
from shlex import quote
from typing import NamedTuple, Optional

from experiments.command_line import run_all
from rnn_jax.errors import UserError
from rnn_jax.reporting.records import Record, add_record, read_records, record_of
from rnn_jax.training.run_directory import RunDirectory


class RecordedRun(NamedTuple):
    """A run whose record is wanted."""

    file: Path  # of the records
    name: str  # which the run has in the file
    seed: int
    script: str  # with its options; not with dataset, directories, and weights to start from
    workdir: Path
    dataset: str = "imdb"
    needs: Optional["RecordedRun"] = None  # the run whose weights this one starts from

    @property
    def command(self) -> str:
        """How it is run."""
        start = f" --init-from {quote(str(self.needs.workdir))}" if self.needs else ""
        place = quote(str(self.workdir))
        return f"python -m experiments.{self.script}{start} --dataset {self.dataset} --workdir {place}"

    @property
    def record(self) -> Record | None:
        """Its line in the file, if it is there."""
        key = (self.name, self.dataset, self.seed)
        return next((record for record in read_records(self.file) if record.key == key), None)

    @property
    def finished(self) -> bool:
        """Whether its directory holds the finished run, wherever that is recorded."""
        return RunDirectory(self.workdir).read_result() is not None

    @property
    def has_weights(self) -> bool:
        """Whether its directory holds the finished run with its checkpoints."""
        checkpoints = RunDirectory(self.workdir).checkpoints
        return self.finished and checkpoints.is_dir() and any(checkpoints.iterdir())


def commands(runs: Sequence[RecordedRun]) -> list[str]:
    """The commands of all runs, each behind the one whose weights it needs, unless these are there."""
    lines = []
    for each in runs:
        if each.needs and not each.needs.has_weights:
            lines.append(each.needs.command)
        lines.append(each.command)
    return list(dict.fromkeys(lines))


def run_missing(runs: Sequence[RecordedRun]) -> int:
    """Runs and records what is not recorded yet; the code of the first that fails, else 0.

    A run that was stopped goes on in its directory; one that has finished there is recorded as it is.
    """
    missing = [run for run in runs if run.record is None]
    print(f"{len(runs) - len(missing)} of {len(runs)} runs are recorded already", flush=True)
    for run in missing:
        if run.record is not None:  # by now, because another has needed it
            continue
        if code := run_needed(run) or run_all([run.command]):
            return code
        add_record(run.file, record_of(run.name, RunDirectory(run.workdir)))
    return 0


def run_needed(run: RecordedRun, *, record: bool = True) -> int:
    """Runs the run that another needs, where its weights are not there; 0, or its code if it fails.

    It may be recorded and have no weights here, as in a clone. Then that record stays as it is; a run that
    is not recorded yet is recorded, unless nothing is to be.

    Raises:
        UserError: if it has finished, and its checkpoints are gone: the same command would not run it again.
    """
    needed = run.needs
    if needed is None or needed.has_weights:
        return 0
    if needed.finished:
        raise UserError(
            f"{run.name} needs the weights of {needed.name}, and {needed.workdir} has a result but no "
            "checkpoints: bring them back, or delete that directory to run it again"
        )
    known = needed.record is not None
    print(
        f"{run.name} needs the weights of {needed.name}, which are not in {needed.workdir}: "
        f"running that first{', though it is recorded' * known}",
        flush=True,
    )
    if code := run_all([needed.command]):
        return code
    if record and not known:
        add_record(needed.file, record_of(needed.name, RunDirectory(needed.workdir)))
    return 0
