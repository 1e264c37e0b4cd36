"""A pen as people let it learn, on made-up drawings."""

import json

import numpy as np
import pytest
from PIL import Image

from experiments import evaluate, handwriting
from rnn_jax.data.sources.drawings import ACTIONS, ENDS, synthetic
from rnn_jax.errors import UserError
from rnn_jax.tasks import open_as
from rnn_jax.tasks.handwriting import RECIPE, draw, make_network
from tests.experiments.calling import call

SMALL = (
    "--dataset synthetic --hidden-size 32 --mixtures 4 --dropout 0 --num-devices 1 --epochs 8 "
    "--learning-rate 0.01"
)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    path = tmp_path_factory.mktemp("runs") / "trained"
    assert call(handwriting, f"--workdir {path} {SMALL}") == 0
    return path


def test_a_run_says_how_it_came_out(trained, capsys):
    result = json.loads((trained / "result.json").read_text())
    assert (result["task"], result["dataset"]) == ("handwriting", "synthetic")
    parts = result["test_offset_loss"] + result["test_action_loss"]
    assert result["test_loss"] == pytest.approx(parts, abs=1e-4)
    points = np.mean([len(each) for each in synthetic()[:200]])
    assert result["test_nats_per_drawing"] == pytest.approx(points * result["test_loss"], rel=1e-4)
    assert result["test_loss"] < 7  # of Gaussians that read nothing: above 8
    with Image.open(trained / "drawings.png") as picture:
        assert picture.size[0] > 1000
    assert call(handwriting, f"--workdir {trained} {SMALL}") == 0
    assert "drawings.png" in capsys.readouterr().out


def test_it_is_evaluated_like_any_other(trained, capsys):
    assert call(evaluate, f"--workdir {trained}") == 0
    result = json.loads((trained / "result.json").read_text())
    assert f"{result['test_loss']:.4f}" in capsys.readouterr().out


def test_each_point_is_drawn_from_what_is_said_of_it(trained):
    """Given those before it: the sums of what is left over are within their deviations."""
    run = open_as(RECIPE, trained, unroll="dynamic")
    known = run.preprocessor
    drawn = draw(run, 400, seed=1)
    assert all((each[:-1, 2] != ENDS).all() for each in drawn)
    lengths = np.array([len(each) for each in drawn])
    points = np.zeros((400, lengths.max(), 3), np.float32)
    for row, each in zip(points, drawn, strict=True):
        row[: len(each)] = known(each)
    found = make_network(run.settings, known).apply(run.params, points, lengths)
    steps = np.arange(points.shape[1]) < lengths[:, None]
    chances = np.exp(np.asarray(found.action, np.float64))[steps]
    happened = np.eye(ACTIONS)[points[steps][:, 2].astype(int)]
    spread = np.sqrt((chances * (1 - chances)).sum(axis=0))
    assert (np.abs((happened - chances).sum(axis=0)) < 4 * spread).all()
    weights, means, deviations = (
        np.asarray(each, np.float64)[steps]
        for each in (np.exp(found.place.log_weights), found.place.means, np.exp(found.place.log_deviations))
    )
    mean = (weights[..., None] * means).sum(axis=1)
    variance = (weights[..., None] * (means**2 + deviations**2)).sum(axis=1) - mean**2
    left = points[steps][:, :2] - mean
    assert (np.abs(left.sum(axis=0)) < 4 * np.sqrt(variance.sum(axis=0))).all()
    assert (left**2).sum() == pytest.approx(variance.sum(), rel=0.1)


def test_a_seed_decides_what_is_drawn(trained):
    run = open_as(RECIPE, trained, unroll="dynamic")
    first, again, other = (draw(run, 5, seed=seed) for seed in (1, 1, 2))
    assert all((a == b).all() for a, b in zip(first, again, strict=True))
    assert any(a.shape != b.shape or (a != b).any() for a, b in zip(first, other, strict=True))


def test_it_draws_into_a_file(trained, tmp_path, capsys):
    assert call(handwriting, f"--workdir {trained} --draw {tmp_path}/mine.png --bias 1 --seed 3") == 0
    assert capsys.readouterr().err == f"wrote {tmp_path}/mine.png\n"
    with Image.open(tmp_path / "mine.png") as picture:
        assert picture.size[0] > 1000
    for line, words in (
        ("--draw mine.svg", "--draw mine.svg"),
        ("--draw mine.png --bias -1", "--bias -1.0"),
        ("--draw mine.png --bias inf", "--bias inf"),
        (f"--draw {tmp_path}/none/mine.png", "cannot be written: No such file"),
        ("--bias 1", "goes with --draw"),
    ):
        with pytest.raises(UserError, match=words):
            call(handwriting, f"--workdir {trained} {line}")
