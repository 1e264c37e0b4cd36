"""Weights from PyTorch and Keras, and to PyTorch; a trained classifier as a program of its own.

Recurrent layers from elsewhere become a file that `--init-from` of all training scripts takes.
"""

import json
from dataclasses import dataclass

from experiments.command_line import Place, parse, run, write_file
from rnn_jax.durable import write_whole
from rnn_jax.errors import UserError
from rnn_jax.interchange.keras import load_keras_model
from rnn_jax.interchange.pytorch import from_pytorch, to_pytorch
from rnn_jax.interchange.weight_files import layers_of, named, read, save_layers, write
from rnn_jax.settings import require, to_flat
from rnn_jax.tasks import recipe_of
from rnn_jax.tasks.exported import export_classifier, serialize
from rnn_jax.training.transfer import LAYERS, at, of_run
from rnn_jax.training.weights import open_run


@dataclass(frozen=True)
class Options:
    """Weights from PyTorch, from Keras, to PyTorch; a trained classifier as a program of its own."""

    workdir: Place | None = None
    """Take the best weights of the run in this directory."""
    pytorch: Place | None = None
    """Take the layers of a torch.nn.LSTM, GRU or RNN from this file, which safetensors.torch.save_file has
    written."""
    keras: Place | None = None
    """Take the LSTM, GRU and SimpleRNN layers of the Keras 3 model in this .keras file."""
    output: Place | None = None
    """Write a safetensors file: from PyTorch and Keras the recurrent layers, for --init-from; from a run all
    weights by name."""
    to_pytorch: Place | None = None
    """Write the recurrent layers of a run into this safetensors file, as load_state_dict of a torch.nn.LSTM,
    GRU or RNN takes them, with batch_first=True."""
    export: Place | None = None
    """Write a classifier, weights included, into this file: StableHLO, which JAX alone loads and calls."""
    prefix: str = ""
    """What the names of the layers begin with in the file from PyTorch: encoder.rnn., say."""
    relu: bool = False
    """The RNN from PyTorch has nonlinearity="relu", which its weights do not tell."""


def check(options: Options) -> None:
    """Raises UserError unless there is one source, and a result that it has."""
    sources = [name for name in ("workdir", "pytorch", "keras") if getattr(options, name) is not None]
    if len(sources) != 1:
        raise UserError("name one source: --workdir DIR, --pytorch FILE or --keras FILE")
    if not any((options.output, options.to_pytorch, options.export)):
        raise UserError("name what to write: --output FILE, --to-pytorch FILE or --export FILE")
    for name in ("to_pytorch", "export"):
        place = getattr(options, name)
        require(place is None or options.workdir is not None, name, place, "goes with --workdir")
    for name, neutral in (("prefix", ""), ("relu", False)):
        value = getattr(options, name)
        require(value == neutral or options.pytorch is not None, name, value, "goes with --pytorch")


def from_elsewhere(options: Options) -> None:
    """Writes layers of PyTorch or Keras for `--init-from`."""
    assert options.output is not None
    if options.pytorch is not None:
        layers = from_pytorch(read(options.pytorch).arrays, options.prefix, relu=options.relu)
    else:
        assert options.keras is not None
        layers = load_keras_model(options.keras)
    save_layers(options.output, layers)
    size, hidden, number = layers.sizes.values()
    print(
        f"{layers.cell} layers written to {options.output}; a run begins with them by\n"
        f"    --init-from {options.output} --cell {layers.cell} --embedding-size {size} "
        f"--hidden-size {hidden} --num-layers {number}{' --bidirectional' * layers.bidirectional}"
    )


def from_run(options: Options) -> None:
    """Writes what is asked for of a run."""
    assert options.workdir is not None
    opened = open_run(options.workdir, recipe_of(options.workdir))
    weights = of_run(options.workdir, opened)
    program = serialize(export_classifier(options.workdir)) if options.export else b""
    if options.to_pytorch:
        if LAYERS not in weights.parts:
            raise UserError(f"{options.workdir} has no recurrent layers: nothing to write for PyTorch")
        for name, neutral in (("dense", False), ("block", "none"), ("learned_initial_state", False)):
            lacks = f"PyTorch has no layers with --{name.replace('_', '-')} {weights.settings[name]}"
            require(weights.settings[name] == neutral, "to_pytorch", options.to_pytorch, lacks)
        layers = layers_of(weights.settings["cell"], at(weights.params, weights.parts[LAYERS].path))
        state = to_pytorch(*layers)
        write_file(options.to_pytorch, "--to-pytorch", lambda file: write(file, state, {"format": "pt"}))
    if options.output:
        settings = json.dumps({"task": weights.learnt, **to_flat(opened.settings)})
        arrays, words = named(weights.params), {"settings": settings}
        write_file(options.output, "--output", lambda file: write(file, arrays, words))
    if options.export:
        write_file(options.export, "--export", lambda file: write_whole(file, program))


def main() -> None:
    """Converts."""
    options = parse(Options)
    check(options)
    (from_elsewhere if options.workdir is None else from_run)(options)


if __name__ == "__main__":
    run(main)
