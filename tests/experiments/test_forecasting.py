"""Forecasts as people make them: of a made-up series, and of a table of their own."""

import json

import numpy as np
import pytest
from PIL import Image

from experiments import evaluate, forecasting
from rnn_jax.errors import UserError
from tests.experiments.calling import call

SMALL = "--hidden-size 16 --num-devices 1 --epochs 2"
WINDOWS = "--history 96 --horizon 24 --segment 12"


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    path = tmp_path_factory.mktemp("runs") / "trained"
    assert (
        call(
            forecasting,
            f"--workdir {path} --dataset synthetic {SMALL} {WINDOWS} --epochs 8 --learning-rate 0.01",
        )
        == 0
    )
    return path


def test_it_beats_the_last_day_where_that_can_be_done(trained, capsys):
    result = json.loads((trained / "result.json").read_text())
    assert result["test_mse"] < 0.8 * result["test_naive_mse"]
    assert 0.6 < result["test_coverage"] < 0.95
    with Image.open(trained / "forecast.png") as picture:
        assert picture.size[0] == 1100
    assert (
        call(
            forecasting,
            f"--workdir {trained} --dataset synthetic {SMALL} {WINDOWS} --epochs 8 --learning-rate 0.01",
        )
        == 0
    )
    said = capsys.readouterr().out
    assert "the last season again and again" in said
    assert "better forecast" not in said
    assert call(evaluate, f"--workdir {trained}") == 0
    assert f"mse {result['test_mse']:.4f}" in capsys.readouterr().out


def test_what_comes_next(trained, capsys):
    """Of both variables, with their bands."""
    assert call(forecasting, f"--workdir {trained} --predict") == 0
    head, *lines = capsys.readouterr().out.splitlines()
    assert head.split("\t") == ["step", "first", "10%", "90%", "second", "10%", "90%"]
    numbers = np.array([[float(each) for each in line.split("\t")] for line in lines])
    assert list(numbers[:, 0]) == list(range(1, 25))
    assert (numbers[:, [2, 5]] < numbers[:, [3, 6]]).mean() > 0.9
    assert np.corrcoef(numbers[:, 1], np.sin(2 * np.pi * np.arange(24) / 24))[0, 1] > 0.5


def test_a_table_of_ones_own_where_nothing_can_be_known(tmp_path, capsys, monkeypatch):
    """Of steps at random, the last value is the better forecast; that is said."""
    monkeypatch.chdir(tmp_path)
    walk = np.cumsum(np.random.default_rng(0).normal(size=600))
    (tmp_path / "walk.csv").write_text("x\n" + "\n".join(map(str, walk)) + "\n")
    line = f"--train walk.csv --target x --workdir run {SMALL} --history 24 --horizon 12"
    assert call(forecasting, line) == 0
    said = capsys.readouterr().out
    result = json.loads((tmp_path / "run/result.json").read_text())
    assert result["dataset"] == "walk.csv"
    assert result["test_mse"] > result["test_naive_mse"]
    assert "better forecast" in said
    assert "the last value again and again" in said
    monkeypatch.chdir("/")
    assert call(forecasting, f"--workdir {tmp_path}/run --predict") == 0
    (tmp_path / "walk.csv").write_text("x\n1\n2\n")
    with pytest.raises(UserError, match=r"has 2 steps: .* reads 24"):
        call(forecasting, f"--workdir {tmp_path}/run --predict")


def test_without_data_it_learns_a_made_up_series(tmp_path, monkeypatch, capsys):
    """And goes on with that once there are others."""
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path))
    line = f"--workdir {tmp_path}/run {SMALL} --history 24 --horizon 12 --segment 12 --epochs 1"
    assert call(forecasting, line) == 0
    monkeypatch.setattr(forecasting.series, "at_hand", lambda data_dir: "ett/h1")
    assert call(forecasting, line) == 0
    assert "has finished already" in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("--workdir new --target a", "--target a: goes with --train"),
        ("--workdir new --train missing.csv", "cannot be read as CSV"),
        ("--workdir new --dataset synthetic --horizon 480", "the validation part of synthetic has 300 steps"),
        ("--workdir new --dataset synthetic --history 50", "--history 50: must be a multiple of --segment"),
    ],
)
def test_bad_input(tmp_path, monkeypatch, line, words):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=words):
        call(forecasting, line)
