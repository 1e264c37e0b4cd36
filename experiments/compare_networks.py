"""Compares kinds of networks: what a step of training costs, and what they make of the order of words.

Costs are those of random reviews, over their length. For the order of words, trained networks answer the
validation reviews once as they are, and then with their words shuffled in blocks. They must have their
checkpoints, which a clone has not: python -m experiments.reproduce --raw runs/raw --row elman lstm gru
text_cnn fasttext, and then --raw runs/raw here.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import jax
from rich.progress import track

from experiments.command_line import Place, command_line, parse, run
from experiments.presets import PRESETS, PresetName
from rnn_jax.data import dataset as datasets
from rnn_jax.data.word_order import shuffle_blocks
from rnn_jax.errors import UserError
from rnn_jax.measuring.training_step import temporary_bytes, training_step
from rnn_jax.measuring.turns import run_in_turns
from rnn_jax.reporting.networks import costs_table, load_costs, load_orders, orders_table
from rnn_jax.settings import with_flat
from rnn_jax.tasks.text_classification import RECIPE, data_of
from rnn_jax.training.environment import origin
from rnn_jax.training.evaluation import make_evaluator
from rnn_jax.training.parallel import set_up_devices
from rnn_jax.training.run_directory import RunDirectory
from rnn_jax.training.weights import open_run


@dataclass(frozen=True)
class Options:
    """Compares what networks cost, and what they make of the order of words."""

    output: Place
    """Directory of costs.jsonl and orders.jsonl."""
    networks: tuple[PresetName, ...] = ("elman", "lstm", "gru", "text_cnn", "fasttext")
    """Presets to compare."""
    raw: Place = "runs/raw"
    """Folder of the runs' directories, which have their checkpoints."""
    lengths: tuple[int, ...] = (125, 250, 500, 1000)
    """Tokens of all reviews, for the costs."""
    blocks: tuple[int, ...] = (1, 2, 3, 5, 10, 20, 50, 100)
    """Words that stay together, for the order."""
    seconds: float = 10.0
    """Time for running all networks at a length, once they are compiled."""
    data_dir: Place | None = None
    """TFDS directory; by default $TFDS_DATA_DIR, or ~/tensorflow_datasets."""
    cache_dir: Place | None = None
    """Where the encoded dataset is kept; by default beside the TFDS data."""


def measure_costs(options: Options, num_devices: int) -> list[dict[str, Any]]:
    """A row for each length and network."""
    rows = []
    for length in track(options.lengths, "costs"):
        networks = {name: with_flat(PRESETS[name], max_length=length) for name in options.networks}
        steps = {name: training_step(settings, num_devices) for name, settings in networks.items()}
        taken = run_in_turns(steps, options.seconds)
        rows += [
            {
                "network": name,
                "length": length,
                "batch": settings.training.batch_size,
                "step_seconds": median(taken[name]),
                "temporary_bytes": temporary_bytes(settings, num_devices),
            }
            for name, settings in networks.items()
        ]
    return rows


def measure_orders(options: Options, runs: list[Path], num_devices: int) -> list[dict[str, Any]]:
    """A row for each run and size of blocks; block 0 is the reviews as they are."""
    rows = []
    for folder in track(runs, "order of words"):
        run = open_run(folder, RECIPE)
        settings, batch_size = run.settings, run.settings.training.batch_size
        dataset = datasets.load(settings.text, options.data_dir, options.cache_dir)
        evaluate = make_evaluator(run.task, batch_size, num_devices)
        for block in (0, *options.blocks):
            examples = dataset.validation
            if block:
                examples = shuffle_blocks(examples, block, settings.training.seed)
                examples = dataset.ratios.add_to(examples) if dataset.ratios else examples
            split = data_of(settings, dataset._replace(validation=examples)).validation
            accuracy = evaluate(run.params, split).figures["accuracy"]
            rows.append(
                {
                    "network": folder.parent.name,
                    "seed": settings.training.seed,
                    "block": block,
                    "accuracy": accuracy,
                }
            )
    return rows


def main() -> int:
    """Measures, and writes the records."""
    options = parse(Options)
    if not options.networks:
        raise UserError("--networks: name at least one")
    if min((*options.lengths, *options.blocks), default=0) < 1:
        raise UserError("--lengths and --blocks must be above 0")
    num_devices = set_up_devices(None, PRESETS[options.networks[0]].training.batch_size)
    platform = Path(options.raw) / jax.default_backend()
    runs = [folder for name in options.networks for folder in sorted((platform / name).glob("seed-*"))]
    missing = [name for name in options.networks if not any(run.parent.name == name for run in runs)]
    if missing:
        raise UserError(
            f"{platform} has no run of {missing[0]}: python -m experiments.reproduce --raw {options.raw} "
            f"--runs {options.raw} --row {missing[0]}"
        )
    for folder in runs:
        if RunDirectory(folder).read(RECIPE.name, RECIPE.settings).text.refit:
            raise UserError(f"{folder} has been trained on the validation reviews (--refit): leave it out")
    setting = origin(command_line("compare_networks"), num_devices)
    costs, orders = Path(options.output) / "costs.jsonl", Path(options.output) / "orders.jsonl"
    write(costs, measure_costs(options, num_devices), setting)
    write(orders, measure_orders(options, runs, num_devices), setting)
    print(costs_table(load_costs(costs)))
    print(orders_table(load_orders(orders)), end="")
    return 0


def write(file: Path, rows: list[dict[str, Any]], setting: dict[str, Any]) -> None:
    """Writes a line a row, with what made it."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("".join(json.dumps(row | setting) + "\n" for row in rows), encoding="utf-8")


if __name__ == "__main__":
    run(main)
