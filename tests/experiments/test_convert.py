"""Weights from other libraries into a run, and a run's into them, by the command."""

import numpy as np
import pytest

from experiments import convert, imdb_sentiment
from rnn_jax.cells import CELLS
from rnn_jax.interchange.weight_files import load_layers, read
from rnn_jax.tasks import open_as
from rnn_jax.tasks.text_classification import RECIPE
from rnn_jax.unroll import dynamic, run_layers
from tests.bad_places import SMALL

safetensors = pytest.importorskip("safetensors.numpy", reason="pip install safetensors flatbuffers")


def call(monkeypatch, script, line):
    monkeypatch.setattr("sys.argv", [f"{script.__name__}.py", *line.split()])
    return script.main()


def train(monkeypatch, path, more=""):
    return call(monkeypatch, imdb_sentiment, f"{SMALL} --num-devices 1 --workdir {path} {more}")


@pytest.fixture
def torch():
    return pytest.importorskip("torch", reason="compares with PyTorch: pip install torch")


def test_a_run_begins_with_layers_of_pytorch_and_gives_its_own_back(
    torch, tmp_path, monkeypatch, capsys, rng
):
    theirs = torch.nn.GRU(4, 4, num_layers=2, bidirectional=True, batch_first=True)
    state = {f"encoder.rnn.{name}": each.detach().numpy() for name, each in theirs.state_dict().items()}
    safetensors.save_file(state, tmp_path / "theirs.safetensors")
    layers, back = tmp_path / "layers.safetensors", tmp_path / "back.safetensors"
    call(
        monkeypatch,
        convert,
        f"--pytorch {tmp_path}/theirs.safetensors --prefix encoder.rnn. --output {layers}",
    )
    options = capsys.readouterr().out.split("\n")[1]
    expected = "--cell gru --embedding-size 4 --hidden-size 4 --num-layers 2 --bidirectional"
    assert options.split() == ["--init-from", str(layers), *expected.split()]
    # A learning rate so small that the layers stay what they were.
    train(monkeypatch, tmp_path / "run", f"{options} --learning-rate 1e-30")
    assert f"taken from {layers}: the recurrent layers; drawn: embedding, head" in " ".join(
        capsys.readouterr().out.split()
    )
    call(monkeypatch, convert, f"--workdir {tmp_path / 'run'} --to-pytorch {back}")
    again = torch.nn.GRU(4, 4, num_layers=2, bidirectional=True, batch_first=True)
    again.load_state_dict({name: torch.tensor(each) for name, each in read(back).arrays.items()})
    x = torch.tensor(rng.normal(size=(2, 5, 4)), dtype=torch.float32)
    np.testing.assert_allclose(again(x)[0].detach(), theirs(x)[0].detach(), atol=1e-6)


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
def test_layers_of_a_keras_model(tmp_path, monkeypatch, rng):
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    keras = pytest.importorskip("keras", reason="compares with Keras: pip install torch")
    kinds = keras.layers
    model = keras.Sequential(
        [
            keras.Input((5, 3)),
            kinds.Bidirectional(kinds.LSTM(4, return_sequences=True)),
            kinds.Dropout(0.5),
            kinds.Bidirectional(kinds.LSTM(4, return_sequences=True)),
        ]
    )
    model.save(tmp_path / "model.keras")
    layers = tmp_path / "layers.safetensors"
    call(monkeypatch, convert, f"--keras {tmp_path}/model.keras --output {layers}")
    cell, params = load_layers(layers)
    x = rng.normal(size=(2, 5, 3)).astype(np.float32)
    ours = run_layers(dynamic, CELLS[cell], params, x).outputs
    np.testing.assert_allclose(ours, np.asarray(model(x)), atol=1e-6)


def test_all_weights_of_a_run_and_its_program(tmp_path, monkeypatch):
    pytest.importorskip("flatbuffers", reason="pip install safetensors flatbuffers")
    train(monkeypatch, tmp_path / "run", "--cell lru")
    output, program = tmp_path / "all.safetensors", tmp_path / "classifier.program"
    call(monkeypatch, convert, f"--workdir {tmp_path / 'run'} --output {output} --export {program}")
    params = open_as(RECIPE, tmp_path / "run").params
    arrays, words = read(output)
    np.testing.assert_array_equal(arrays["embedding.embedding"], params["embedding"]["embedding"])
    decay = params["layers"]["recurrent"]["layers"][0]["decay"]
    np.testing.assert_array_equal(arrays["layers.recurrent.layers.0.decay"], decay)
    assert '"cell": "lru"' in words["settings"]
    assert program.stat().st_size > 4 * params["embedding"]["embedding"].size
