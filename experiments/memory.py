"""Measures what cells remember: the adding problem and the copying task, learnt at growing lengths.

Each case is a line of `memory.jsonl`; the same command again runs those that are missing.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

import jax
from rich.console import Console
from rich.progress import track

from experiments.command_line import Place, command_line, parse, run
from rnn_jax.cells import CellName
from rnn_jax.data.memory_tasks import TASKS
from rnn_jax.errors import UserError
from rnn_jax.measuring.memory import CHUNK, Case, measure_memory
from rnn_jax.reporting.memory import load_memory, memory_table
from rnn_jax.seeds import words
from rnn_jax.training.environment import origin

if TYPE_CHECKING:
    TaskName: TypeAlias = str
else:
    TaskName = Literal[tuple(TASKS)]


@dataclass(frozen=True)
class Options:
    """Measures what cells remember."""

    output: Place
    """Directory of memory.jsonl."""
    cells: tuple[CellName, ...] = ("elman", "lstm", "gru", "indrnn", "mingru", "lru")
    """Recurrent cells."""
    tasks: tuple[TaskName, ...] = tuple(TASKS)
    """What is learnt."""
    lengths: tuple[int, ...] = (25, 50, 100, 200)
    """Steps: of the whole sequence for adding, between symbols and answer for copying."""
    seeds: tuple[int, ...] = (0, 1, 2)
    """A run each."""
    steps: int = 2000
    """Steps of training."""


def main() -> None:
    """Runs the cases that are missing, the shortest first."""
    options = parse(Options)
    if min(options.lengths, default=0) < 2:
        raise UserError("--lengths: must be 2 or more")
    if options.steps < CHUNK or options.steps % CHUNK:
        raise UserError(f"--steps {options.steps}: must be a multiple of {CHUNK}")
    for seed in options.seeds:
        words(seed)  # there are some
    console = Console(stderr=True)
    folder = Path(options.output)
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "memory.jsonl"
    cases = [
        Case(cell, task, length, seed, steps=options.steps)
        for length in options.lengths
        for seed in options.seeds
        for task in options.tasks
        for cell in options.cells
    ]
    done = {tuple(row[name] for name in Case._fields) for row in load_memory(file)}
    setting = origin(command_line("memory"), num_devices=1)
    missing = [case for case in cases if tuple(case) not in done]
    for case in track(missing, "learning", console=console):
        row = measure_memory(case)
        with file.open("a", encoding="utf-8") as lines:
            lines.write(json.dumps(row | setting) + "\n")
        jax.clear_caches()  # no two cases share a program
    print(memory_table(load_memory(file)), end="")


if __name__ == "__main__":
    run(main)
