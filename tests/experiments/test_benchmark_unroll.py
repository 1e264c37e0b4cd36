import json
import sys

import pytest

from experiments import benchmark_unroll
from rnn_jax.errors import UserError

pytestmark = pytest.mark.slow

SMALL = [
    "--cells",
    "elman",
    "--methods",
    "dynamic",
    "fused",
    "--times",
    "4",
    "--batches",
    "4",
    "--hidden",
    "3",
    "--modes",
    "forward",
    "--seconds",
    "0.01",
]


@pytest.fixture
def benchmark(monkeypatch, tmp_path):
    """Runs the script with a small grid; returns the rows recorded."""

    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["benchmark_unroll", "--output", str(tmp_path), *arguments])
        assert benchmark_unroll.main() == 0
        return [json.loads(line) for line in (tmp_path / "benchmark.jsonl").read_text().splitlines()]

    return call


def test_the_same_command_measures_only_what_is_missing(benchmark, tmp_path):
    rows = benchmark(*SMALL, "--num-devices", "1")
    assert [(row["method"], row["status"]) for row in rows] == [("dynamic", "ok"), ("fused", "ok")]
    assert rows[0]["hardware"]["num_devices"] == 1
    assert rows[0]["command"].startswith("python -m experiments.benchmark_unroll --output")
    assert "| elman | forward |" in (tmp_path / "benchmark.md").read_text()
    assert {path.suffix for path in tmp_path.iterdir()} == {".jsonl", ".md", ".png"}
    (tmp_path / "benchmark.jsonl").write_text(json.dumps(rows[0]) + "\n")  # as after an interruption
    again = benchmark(*SMALL, "--num-devices", "1")
    assert again[0] == rows[0]
    assert [row["method"] for row in again] == ["dynamic", "fused"]
    assert benchmark(*SMALL, "--num-devices", "1") == again


def test_a_layer_of_both_directions_is_another_row(benchmark, tmp_path):
    one, two = benchmark(*SMALL, "--methods", "dynamic", "--directions", "1", "2")
    assert [(row["case"]["directions"], row["status"]) for row in (one, two)] == [(1, "ok"), (2, "ok")]
    operations = [row["gflops"] * row["seconds"] for row in (one, two)]
    assert operations[1] == pytest.approx(2 * operations[0])
    assert "| elman, both directions | forward |" in (tmp_path / "benchmark.md").read_text()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--cells", "lstn"), "invalid choice 'lstn' for argument '--cells'"),
        (("--methods", "slow"), "invalid choice 'slow' for argument '--methods'"),
        (("--peers", "numpy"), "--peers numpy: choose from flax"),
        (("--times", "0"), "--times 0: must be above 0"),
        (("--precisions", "float8"), "invalid choice 'float8' for argument '--precisions'"),
    ],
)
def test_bad_options_are_named(benchmark, arguments, message):
    with pytest.raises(UserError, match=message):
        benchmark(*arguments)


def test_a_peer_that_is_not_there_is_named(benchmark, monkeypatch):
    monkeypatch.setattr(benchmark_unroll, "is_installed", lambda peer: False)
    with pytest.raises(UserError, match=r"--peers keras: it is not installed"):
        benchmark("--peers", "keras")
