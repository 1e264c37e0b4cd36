"""Measures language models: the speed of training steps, how soon they learn, and how fast they write.

Training is compared with the same network in PyTorch, in turns for the speed, and one after the other for
the curve of learning.
"""

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, cast

import tyro
from rich.console import Console

from experiments.command_line import Place, command_line, parse, run
from experiments.language_model import PRESETS, PresetName
from experiments.training import preset_of
from rnn_jax.durable import write_whole
from rnn_jax.errors import UserError
from rnn_jax.measuring.generation import generation_seconds
from rnn_jax.measuring.language_models import Epoch, Take, our_epochs, our_steps, speeds_in_turns
from rnn_jax.measuring.torch_language_model import check_built, import_torch, torch_epochs, torch_steps
from rnn_jax.reporting.language_speed import (
    curve_table,
    generation_table,
    load_curves,
    load_generation,
    load_speeds,
    speed_table,
)
from rnn_jax.settings import check, require, to_flat, with_flat
from rnn_jax.tasks.generator import Generator
from rnn_jax.tasks.language_model import RECIPE, Settings, TokenPreprocessor, load
from rnn_jax.training.environment import origin
from rnn_jax.training.parallel import set_up_devices
from rnn_jax.training.recipe import Data, Places
from rnn_jax.training.run_directory import RunDirectory

Row = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Options:
    """Measures language models: speed of training, how soon they learn, and how fast they write."""

    output: Place
    """Directory of speed.jsonl, curve.jsonl or generation.jsonl, and of a table; rows of the same network are
    replaced."""
    settings: Settings
    preset: PresetName = "tiny_shakespeare"
    """Settings to start from; the options below change them."""
    what: Literal["speed", "curve", "generation"] = "speed"
    """Tokens a second of training steps; validation perplexity over seconds of training; or seconds to write
    texts of some lengths with the run in --workdir."""
    peers: tuple[Literal["torch"], ...] = ()
    """Who trains, too: torch, which needs PyTorch (pip install torch)."""
    ours: bool = True
    """Whether this project trains; --no-ours measures the peers alone."""
    workdir: Place | None = None
    """Directory of the run that writes, for generation."""
    lengths: tuple[int, ...] = (100, 200, 400, 800, 1600)
    """Tokens to write."""
    turns: int = 5
    """Figures of each library, or of each length."""
    seconds: float = 5.0
    """Time of a turn of training steps."""
    num_devices: int | None = None
    """Devices that share a batch, and threads of PyTorch; by default all, on a CPU one a core."""
    data_dir: Place | None = None
    """Directory of the TFDS data; by default $TFDS_DATA_DIR or ~/tensorflow_datasets."""
    quick: bool = False
    """Two short turns, two epochs and short texts, to see that it works: other options for these do not
    count."""


EPOCHS: dict[str, Callable[[Settings, Data, int], Iterator[Epoch]]] = {
    "rnn_jax": our_epochs,
    "torch": torch_epochs,
}
STEPS: dict[str, Callable[[Settings, Data, int], Take]] = {"rnn_jax": our_steps, "torch": torch_steps}


def read_options() -> Options:
    """The command line, checked, with the settings of its preset as defaults."""
    settings = preset_of(PRESETS, "tiny_shakespeare")
    options = parse(Options, Options(output=tyro.MISSING, settings=settings))
    if options.quick:
        quick: dict[str, Any] = {"turns": 2, "seconds": 0.1, "lengths": (8, 16)}
        options = replace(options, settings=with_flat(options.settings, epochs=2), **quick)
    check(options.settings)
    for name in ("turns", "seconds"):
        require(getattr(options, name) > 0, name, getattr(options, name), "must be above 0")
    require(min(options.lengths) > 0, "lengths", min(options.lengths), "must be above 0")
    reading = options.settings.text.reading
    require(reading == "stream", "reading", reading, "what is measured here reads a stream")
    if options.what == "generation" and options.workdir is None:
        raise UserError("--what generation needs --workdir, the directory of a trained language model")
    if options.what != "generation" and not libraries_of(options):
        raise UserError("--no-ours leaves nobody to train: name --peers torch")
    if options.what != "generation" and "torch" in options.peers:
        check_built(options.settings)
        import_torch()
    return options


def libraries_of(options: Options) -> list[str]:
    """Who trains."""
    return [*(["rnn_jax"] if options.ours else []), *dict.fromkeys(options.peers)]


def vocabulary_size(data: Data) -> int:
    """How many tokens there are."""
    return cast("TokenPreprocessor", data.preprocessor).tokenizer.size


def measure_speed(options: Options, data: Data, num_devices: int) -> Iterator[Row]:
    """A row a library, which took turns; with the load of the machine before, which should be idle."""
    libraries, load_before = libraries_of(options), os.getloadavg()[0]
    with Console(stderr=True).status(f"{' and '.join(libraries)} in turns"):
        runs = {name: STEPS[name](options.settings, data, num_devices) for name in libraries}
        speeds = speeds_in_turns(runs, options.turns, options.seconds)
    for name, figures in speeds.items():
        own = {"library": name, "tokens_per_second": figures, "load_before": load_before}
        yield {**own, "vocabulary_size": vocabulary_size(data)}


def measure_curves(options: Options, data: Data, num_devices: int) -> Iterator[Row]:
    """A row a library, one after the other."""
    console = Console(stderr=True)
    for name in libraries_of(options):
        epochs = []
        for epoch in EPOCHS[name](options.settings, data, num_devices):
            epochs.append(epoch._asdict())
            line = f"{name}, epoch {len(epochs)}: {epoch.seconds:.1f} s, {epoch.validation_loss:.4f} nats"
            console.print(line, highlight=False)
        yield {"library": name, "vocabulary_size": vocabulary_size(data), "epochs": epochs}


def measure_training(options: Options) -> Iterator[Row]:
    """The rows of speed, or of curves."""
    settings = options.settings
    num_devices = set_up_devices(options.num_devices, settings.training.batch_size)
    data = load(settings, Places(options.data_dir))
    setting = origin(command_line("benchmark_language_model"), num_devices, options.peers)
    measure = {"speed": measure_speed, "curve": measure_curves}[options.what]
    for row in measure(options, data, num_devices):
        yield {**row, "dataset": data.name, "tokens": len(data.train), "config": to_flat(settings), **setting}


def measure_generation(options: Options) -> Iterator[Row]:
    """A row a length."""
    assert options.workdir is not None
    config = to_flat(RunDirectory(options.workdir).read(RECIPE.name, RECIPE.settings))
    generator = Generator(options.workdir)
    setting = origin(command_line("benchmark_language_model"), 1)
    size = generator.tokenizer.size
    for length, seconds in generation_seconds(generator, options.lengths, options.turns).items():
        own = {"library": "rnn_jax", "length": length, "vocabulary_size": size, "seconds": seconds}
        yield {**own, "config": config, **setting}


READERS = {"speed": load_speeds, "curve": load_curves, "generation": load_generation}
TABLES = {"speed": speed_table, "curve": curve_table, "generation": generation_table}
SAME = {  # fields that tell a row from another; those of a speed took turns, and are replaced together
    "speed": ("config",),
    "curve": ("library", "config"),
    "generation": ("length", "config"),
}


def main() -> int:
    """Measures, and writes the records and a table."""
    options = read_options()
    what, folder = options.what, Path(options.output)
    file = folder / f"{what}.jsonl"
    earlier, rows = READERS[what](file), []
    for row in measure_generation(options) if what == "generation" else measure_training(options):
        folder.mkdir(parents=True, exist_ok=True)
        rows.append(row)
        replaced = {identity(what, each) for each in rows}
        kept = [each for each in earlier if identity(what, each) not in replaced]
        write_whole(file, "".join(json.dumps(each) + "\n" for each in kept + rows))
    table = TABLES[what](READERS[what](file))
    (folder / f"{what}.md").write_text(table, encoding="utf-8")
    print(table, end="")
    return 0


def identity(what: str, row: Row) -> str:
    """What rows have in common of which the later takes the place of the earlier."""
    return json.dumps([row[name] for name in SAME[what]], sort_keys=True)


if __name__ == "__main__":
    run(main)
