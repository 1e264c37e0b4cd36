"""Breaks a real training run on purpose, and compares what it ends with to a run that nothing disturbed."""

import itertools
import json
import shlex
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from rich.progress import track

from experiments.command_line import Place, command_line, parse, run
from rnn_jax.errors import UserError
from rnn_jax.reporting.stress import stress_table
from rnn_jax.stress import kills
from rnn_jax.stress.damages import DAMAGES
from rnn_jax.stress.ends import differences, end_of
from rnn_jax.training.checkpoints import Checkpoints
from rnn_jax.training.environment import origin

SETTINGS = (
    "--train-examples 2000 --max-length 100 --hidden-size 8 --embedding-size 8 --buckets 2 --epochs 3 "
    "--save-every 2 --log-every 5"
)


@dataclass(frozen=True)
class Options:
    """Kills, damages and resumes a small training run; exits 1 if anything comes out differently."""

    output: Place
    """Directory of stress.jsonl, with a row for everything that was done; the runs lie there meanwhile."""
    kills: int = 100
    """How often to kill with SIGKILL, half of the times in the middle of a save."""
    kills_of_a_run: int = 10
    """Kills after which a run is left to end, and compared."""
    damages: int = 600
    """How many checkpoints to damage, each by one kind of damage."""
    resumed: int = 12
    """How many of these to train on from."""
    dataset: Literal["synthetic", "imdb"] = "synthetic"
    """Reviews to train on."""
    seed: int = 0
    """Seed of the moments and of the damages."""


def training(workdir: Path, dataset: str) -> list[str]:
    """The command that trains in a directory."""
    line = (
        f"-m experiments.imdb_sentiment --dataset {dataset} {SETTINGS} --workdir {shlex.quote(str(workdir))}"
    )
    return [sys.executable, *shlex.split(line)]


def kill_runs(options: Options, folder: Path, undisturbed: Path, seconds: float) -> Iterator[dict[str, Any]]:
    """Kills runs until there were enough kills; yields a row for each, once its run has ended."""
    rng = np.random.default_rng([options.seed, 0])
    expected = end_of(undisturbed)
    done, number = 0, 0
    while done < options.kills:
        workdir = folder / f"killed{number}"
        command = training(workdir, options.dataset)
        rows: list[dict[str, Any]] = []
        while len(rows) < min(options.kills_of_a_run, options.kills - done):
            kill = kills.run_and_kill(command, workdir / "checkpoints", *kills.draw(rng, seconds))
            if kill is None:
                break
            rows.append({"kind": "kill", "run": number, **kill._asdict()})
        else:
            kills.run(command)
        found = differences(end_of(workdir), expected)
        for row in rows:
            yield row | {"differences": found}
        done, number = done + len(rows), number + 1
        shutil.rmtree(workdir)


def damage_checkpoints(options: Options, folder: Path, undisturbed: Path) -> Iterator[dict[str, Any]]:
    """Damages copies of the newest checkpoint; some of them are trained on from."""
    rng = np.random.default_rng([options.seed, 1])
    expected = end_of(undisturbed)
    *_, before, newest = sorted(int(path.name) for path in (undisturbed / "checkpoints").iterdir())
    for trial in range(options.damages):
        copy = folder / "damaged"
        shutil.copytree(undisturbed, copy)
        (copy / "result.json").unlink()
        kind = list(DAMAGES)[trial % len(DAMAGES)]
        what = DAMAGES[kind](copy / "checkpoints" / str(newest), rng)
        found = Checkpoints(copy / "checkpoints").newest()
        row = {"kind": "damage", "damage": kind, "what": what, "found": found == before}
        if trial < options.resumed:
            kills.run(training(copy, options.dataset))
            row["differences"] = differences(end_of(copy), expected)
        yield row
        shutil.rmtree(copy)


def main() -> int:
    """Breaks, records, and prints what came out."""
    options = parse(Options)
    for name, least in (("kills", 0), ("kills_of_a_run", 1), ("damages", 0), ("resumed", 0), ("seed", 0)):
        if getattr(options, name) < least:
            raise UserError(f"--{name.replace('_', '-')} {getattr(options, name)}: must be {least} or more")
    output = Path(options.output)
    folder = output / "runs"
    shutil.rmtree(folder, ignore_errors=True)  # what a campaign left that was stopped
    folder.mkdir(parents=True)
    undisturbed = folder / "undisturbed"
    command = training(undisturbed, options.dataset)
    kills.run(command)  # compiles, and keeps what it compiled
    shutil.rmtree(undisturbed)
    seconds = kills.run(command)
    common = {
        "dataset": options.dataset,
        "undisturbed_seconds": seconds,
        **origin(command_line("stress"), num_devices=1),
    }
    file = output / "stress.jsonl"
    campaigns = itertools.chain(
        kill_runs(options, folder, undisturbed, seconds), damage_checkpoints(options, folder, undisturbed)
    )
    rows = []
    with file.open("w", encoding="utf-8") as lines:
        for row in track(campaigns, total=options.kills + options.damages, description="breaking"):
            rows.append(row | common)
            lines.write(json.dumps(rows[-1]) + "\n")
            lines.flush()
    shutil.rmtree(folder)
    print(stress_table(rows), end="")
    return int(any(row.get("differences") or not row.get("found", True) for row in rows))


if __name__ == "__main__":
    run(main)
