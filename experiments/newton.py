"""Counts the iterations of Newton's method over time: over the size of weights, and over training.

Each count is a line of `iterations.jsonl`; the same command again makes those that are missing. GRU and LSTM,
whose Jacobian is not diagonal, are iterated with its diagonal alone: an experiment, no unroll.
"""

import json
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.progress import track

from experiments.command_line import Place, command_line, parse, run
from rnn_jax.errors import UserError
from rnn_jax.measuring.iterations import Case, count_iterations, count_over_training
from rnn_jax.measuring.memory import Case as Learning
from rnn_jax.reporting.iterations import load_iterations, over_training_table, weights_table
from rnn_jax.seeds import words
from rnn_jax.training.environment import origin

CELLS = ("sru", "indrnn", "gru", "lstm")
SCALES = (0.5, 1.0, 2.0, 3.0)
LENGTHS = (256, 1024)
LEARNT = ("sru", "indrnn")
LENGTH, STEPS = 200, 2000  # of the adding problem
KEY = ("cell", "task", "scale", "length", "seed")  # what tells counts apart


@dataclass(frozen=True)
class Options:
    """Counts the iterations of Newton's method over time."""

    output: Place
    """Directory of iterations.jsonl."""
    seeds: tuple[int, ...] = (0, 1, 2)
    """Weights and inputs of each."""


def main() -> None:
    """Counts what is missing."""
    options = parse(Options)
    if not options.seeds:
        raise UserError("--seeds: give one or more")
    seeds = dict.fromkeys(options.seeds)
    for seed in seeds:
        words(seed)  # there are some
    file = Path(options.output) / "iterations.jsonl"
    file.parent.mkdir(parents=True, exist_ok=True)
    setting = origin(command_line("newton"), num_devices=1)

    done = {tuple(row.get(name) for name in KEY) for row in load_iterations(file)}
    cases: list[Case | Learning] = [
        Case(cell, scale, length, seed)
        for length in LENGTHS
        for seed in seeds
        for cell in CELLS
        for scale in SCALES
    ]
    cases += [Learning(cell, "adding", LENGTH, seed, steps=STEPS) for seed in seeds for cell in LEARNT]
    missing = [case for case in cases if tuple(case._asdict().get(name) for name in KEY) not in done]
    for case in track(missing, "iterating", console=Console(stderr=True)):
        if isinstance(case, Case):
            found = [{"what": "weights"} | count_iterations(case)]
        else:
            found = [{"what": "training"} | row for row in count_over_training(case)]
        with file.open("a", encoding="utf-8") as lines:
            lines.writelines(json.dumps(row | setting) + "\n" for row in found)
    rows = load_iterations(file)
    print(weights_table(rows), over_training_table(rows), sep="\n", end="")


if __name__ == "__main__":
    run(main)
