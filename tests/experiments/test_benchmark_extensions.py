import json
import sys

import pytest

from experiments import benchmark_extensions
from rnn_jax.errors import UserError

pytestmark = pytest.mark.slow

SMALL = "--time 5 --batch 4 --hidden 3 --seconds 0.01 --num-devices 1"


@pytest.fixture
def benchmark(monkeypatch, tmp_path):
    """Runs the script with a small layer; returns the rows recorded."""

    def call(arguments):
        line = f"benchmark_extensions --output {tmp_path} {SMALL} {arguments}"
        monkeypatch.setattr(sys, "argv", line.split())
        assert benchmark_extensions.main() == 0
        return [json.loads(row) for row in (tmp_path / "extensions.jsonl").read_text().splitlines()]

    return call


def test_rows_of_the_same_layer_are_replaced(benchmark, tmp_path, capsys):
    first = benchmark("--cells elman qrnn --unrolls dynamic fused")
    assert [(row["case"]["cell"], row["unroll"]) for row in first] == [
        ("elman", "dynamic"),
        ("elman", "fused"),
        ("qrnn", "dynamic"),
    ]
    assert (tmp_path / "extensions.md").read_text() in capsys.readouterr().out
    again = benchmark("--cells elman --unrolls fused")
    assert [row["unroll"] for row in again] == ["dynamic", "dynamic", "fused"]
    assert again[2] != first[1]


def test_an_unroll_that_hands_every_cell_on_is_named(benchmark):
    with pytest.raises(UserError, match="--unrolls: none of them runs one of --cells"):
        benchmark("--cells gru --unrolls parallel newton")
