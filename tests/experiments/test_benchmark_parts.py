import sys

import pytest

from experiments import benchmark_parts
from rnn_jax.errors import UserError

pytestmark = pytest.mark.slow


def call(monkeypatch, tmp_path, *arguments):
    monkeypatch.setattr(sys, "argv", ["benchmark_parts", "--output", str(tmp_path), *arguments])
    return benchmark_parts.main()


def test_the_script_leaves_records_and_a_table(monkeypatch, tmp_path, capsys):
    small = "--cells elman --time 24 --batches 4 --hidden 8 --num-devices 1 --seconds 0.01"
    assert call(monkeypatch, tmp_path, *small.split()) == 0
    assert (tmp_path / "parts.md").read_text() in capsys.readouterr().out
    assert call(monkeypatch, tmp_path, *small.split(), "--precisions", "bfloat16") == 0
    again = (tmp_path / "parts.md").read_text()
    assert "| elman | float32 | 8 | 4 | 24 |" in again
    assert "| elman | bfloat16 | 8 | 4 | 24 |" in again


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("--time 29", "--time 29: must be a multiple of 8"),
        ("--cells gru_v3", "invalid choice 'gru_v3' for argument '--cells'"),
        ("--batches 0", "--batches and --hidden must be above 0"),
    ],
)
def test_bad_options_are_named(monkeypatch, tmp_path, arguments, message):
    with pytest.raises(UserError, match=message):
        call(monkeypatch, tmp_path, *arguments.split())
