import importlib.util
import json
import sys

import pytest

from experiments import benchmark_epoch
from rnn_jax.errors import UserError

pytestmark = pytest.mark.slow

SMALL = "--dataset synthetic --train-examples 256 --vocabulary-size 50 --max-length 8 --embedding-size 2"
SMALL += " --hidden-size 3 --epochs 2 --buckets 1"


@pytest.fixture
def benchmark(monkeypatch, tmp_path):
    """Runs the script; returns the rows recorded."""

    def call(*arguments):
        monkeypatch.setattr(
            sys, "argv", ["benchmark_epoch", "--output", str(tmp_path), *SMALL.split(), *arguments]
        )
        assert benchmark_epoch.main() == 0
        return [json.loads(line) for line in (tmp_path / "epochs.jsonl").read_text().splitlines()]

    return call


def test_a_row_of_the_same_network_is_replaced(benchmark, tmp_path, capsys):
    (first,) = benchmark("--num-devices", "1")
    assert len(first["epochs"]) == 2
    assert first["config"]["hidden_size"] == 3
    assert (tmp_path / "epochs.md").read_text() == capsys.readouterr().out
    (again,) = benchmark("--num-devices", "1")
    assert [e["test_accuracy"] for e in again["epochs"]] == [e["test_accuracy"] for e in first["epochs"]]
    assert again != first  # times differ
    assert len(benchmark("--num-devices", "1", "--seed", "1")) == 2


def test_an_unknown_library_is_named(benchmark):
    with pytest.raises(UserError, match="invalid choice 'torch' for argument '--libraries'"):
        benchmark("--libraries", "torch")


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # in Keras
def test_keras_on_jax_learns_the_same_reviews(benchmark, monkeypatch):
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    pytest.importorskip("keras", reason="trains with Keras: pip install keras")
    enough = "--train-examples 9000 --vocabulary-size 300 --max-length 40 --embedding-size 8 --hidden-size 8"
    still = "--word-dropout 0 --embedding-dropout 0 --dropout 0 --learning-rate 0.01 --epochs 3"
    (row,) = benchmark("--libraries", "keras_jax", *enough.split(), *still.split())
    assert len(row["epochs"]) == 3
    assert row["epochs"][-1]["test_accuracy"] > 0.6
    assert row["padding"] is None
    assert row["versions"]["keras"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("keras_jax --num-layers 2", "Keras: it is not built with another num layers"),
        ("keras_jax --cell qrnn", "Keras: --cell is one of elman, lstm, gru there"),
        ("keras_jax keras_tensorflow", "Keras runs on one back end in a process"),
        ("keras_tensorflow", "tensorflow is not installed: pip install tensorflow-cpu"),
    ],
)
def test_what_keras_cannot_train_is_said_before_anything_is_trained(
    benchmark, monkeypatch, arguments, message
):
    there = {"keras": object(), "tensorflow": None}
    monkeypatch.setattr(importlib.util, "find_spec", there.__getitem__)
    monkeypatch.setattr(benchmark_epoch, "train", None)
    with pytest.raises(UserError, match=message):
        benchmark("--libraries", "rnn_jax", *arguments.split())
