"""Digits by the way of the pen, as people learn them, on made-up signs."""

import json

import numpy as np
import pytest
from PIL import Image

from experiments import pen_digits
from rnn_jax.data.sources.pen_digits import synthetic
from rnn_jax.errors import UserError
from tests.experiments.calling import call

SMALL = "--dataset synthetic --hidden-size 16 --num-devices 1 --epochs 6 --learning-rate 0.01"


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    path = tmp_path_factory.mktemp("runs") / "trained"
    assert call(pen_digits, f"--workdir {path} {SMALL}") == 0
    return path


def test_a_run_says_how_it_came_out(trained, capsys):
    result = json.loads((trained / "result.json").read_text())
    assert (result["task"], result["dataset"]) == ("pen_digits", "synthetic")
    assert result["test_accuracy"] > 0.9
    for name in ("answers.png", "paths.png"):
        with Image.open(trained / name) as picture:
            assert picture.size[0] > 900
    assert call(pen_digits, f"--workdir {trained} {SMALL}") == 0
    assert "paths.png" in capsys.readouterr().out


def test_a_path_is_recognised(trained, tmp_path, capsys):
    """In other units, and with points between."""
    _, test = synthetic()
    for path, label in list(zip(test.sequences, test.labels, strict=True))[::40]:
        between = (path[:-1] + path[1:]) / 2
        denser = np.stack([path[:-1], between], axis=1).reshape(-1, 2)
        points = 0.1 * np.concatenate([denser, path[-1:]]) - 3
        (tmp_path / "digit.csv").write_text("".join(f"{x:.4f},{y:.4f}\n" for x, y in points))
        assert call(pen_digits, f"--workdir {trained} --predict {tmp_path}/digit.csv") == 0
        assert f"digit.csv: {label}, with" in capsys.readouterr().out


@pytest.mark.parametrize(
    "content", ["x,y\n1,2\n", "", "1,2\n1,5\n", "1,2,3\n", "1,2\n\n3\n", "1,2,3\n4,5,6\n", "1,nan\n2,3\n"]
)
def test_what_is_no_path(content, trained, tmp_path):
    (tmp_path / "digit.csv").write_text(content)
    with pytest.raises(UserError, match=r"digit\.csv is no path of a pen"):
        call(pen_digits, f"--workdir {trained} --predict {tmp_path}/digit.csv")
