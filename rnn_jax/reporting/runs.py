"""Recorded runs, as they lie in `results/raw/PLATFORM/PRESET/seed-N`, and the rows they make."""

import json
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

from rnn_jax.errors import UserError


class Run(NamedTuple):
    """What a finished run has recorded."""

    platform: str  # cpu, gpu or tpu
    preset: str
    config: dict[str, Any]
    metrics: list[dict[str, Any]]
    result: dict[str, Any]

    @property
    def epochs(self) -> list[dict[str, Any]]:
        """The record of each epoch."""
        return [record for record in self.metrics if record["kind"] == "epoch"]


class Row(NamedTuple):
    """The runs of one preset on one platform: the same settings, another seed each."""

    platform: str
    preset: str
    runs: list[Run]

    def values(self, name: str) -> list[Any]:
        """A field of the result of every run."""
        return [run.result[name] for run in self.runs]


def load_runs(raw: Path) -> list[Run]:
    """Reads all finished runs below a folder, in the order of their paths.

    Raises:
        UserError: if a file is missing or cannot be read, naming it.
    """
    return [_load_run(path.parent, raw) for path in sorted(raw.glob("*/*/*/result.json"))]


def _load_run(folder: Path, raw: Path) -> Run:
    file = folder / "result.json"
    try:
        result = json.loads(file.read_text(encoding="utf-8"))
        file = folder / "config.json"
        config = json.loads(file.read_text(encoding="utf-8"))
        file = folder / "metrics.jsonl"
        metrics = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    except (OSError, ValueError) as error:
        raise UserError(f"{file} cannot be read ({error}): restore it, or delete {folder}") from error
    platform, preset, _ = folder.relative_to(raw).parts
    return Run(platform, preset, config, metrics, result)


def group_rows(runs: Sequence[Run]) -> list[Row]:
    """Groups runs into rows, by platform, then by network: the weakest mean test accuracy first.

    Raises:
        UserError: if runs of one row differ in more than their seeds, naming the setting.
    """
    rows = [
        Row(platform, preset, list(members))
        for (platform, preset), members in groupby(runs, key=lambda run: (run.platform, run.preset))
    ]
    for row in rows:
        first = row.runs[0].config
        for config in (run.config for run in row.runs[1:]):
            differing = {n for n in first.keys() | config.keys() if first.get(n) != config.get(n)} - {"seed"}
            if differing:
                raise UserError(
                    f"the runs of {row.platform}/{row.preset} differ in {', '.join(sorted(differing))}: "
                    "record them again with one setting"
                )
    return sorted(rows, key=lambda row: (row.platform, sum(row.values("test_accuracy")) / len(row.runs)))
