"""Runs whose records are kept: each trains in a directory of its own, then becomes a line of a file."""

from collections.abc import Sequence
from pathlib import Path
from shlex import quote
from typing import Literal, NamedTuple

from experiments.command_line import run_all
from rnn_jax.reporting.records import Record, add_record, read_records, record_of
from rnn_jax.training.run_directory import RunDirectory


class RecordedRun(NamedTuple):
    """A run whose record is wanted."""

    file: Path  # of the records
    name: str  # which the run has in the file
    seed: int
    script: str  # with its options; not with dataset and directory
    workdir: Path
    dataset: Literal["imdb", "synthetic"] = "imdb"

    @property
    def command(self) -> str:
        """How it is run."""
        place = quote(str(self.workdir))
        return f"python -m experiments.{self.script} --dataset {self.dataset} --workdir {place}"

    @property
    def record(self) -> Record | None:
        """Its line in the file, if it is there."""
        key = (self.name, self.dataset, self.seed)
        return next((record for record in read_records(self.file) if record.key == key), None)


def run_missing(runs: Sequence[RecordedRun]) -> int:
    """Runs and records what is not recorded yet; the code of the first that fails, else 0.

    A run that was stopped goes on in its directory; one that has finished there is recorded as it is.
    """
    missing = [run for run in runs if run.record is None]
    print(f"{len(runs) - len(missing)} of {len(runs)} runs are recorded already", flush=True)
    for run in missing:
        if code := run_all([run.command]):
            return code
        add_record(run.file, record_of(run.name, RunDirectory(run.workdir)))
    return 0
