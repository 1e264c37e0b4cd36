"""Digits as people learn them: train on the small ones, look at the answers, read an image of one's own."""

import json

import numpy as np
import pytest
from PIL import Image

from experiments import digits, evaluate
from rnn_jax.data.sources.digits import DigitSettings, load
from rnn_jax.errors import UserError
from rnn_jax.tasks import open_as
from rnn_jax.tasks.digits import RECIPE
from rnn_jax.tasks.vector_classifier import (
    accuracies_over_time,
    data_of,
    probabilities,
    probabilities_over_time,
)
from tests.experiments.calling import call

SMALL = "--dataset small --hidden-size 12 --num-devices 1 --epochs 12 --learning-rate 0.01"


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    path = tmp_path_factory.mktemp("runs") / "trained"
    assert call(digits, f"--workdir {path} {SMALL}") == 0
    return path


def test_a_run_says_how_it_came_out(trained, capsys):
    result = json.loads((trained / "result.json").read_text())
    assert (result["task"], result["dataset"]) == ("digits", "small")
    assert result["test_accuracy"] > 0.8
    confusion = np.array(result["test_confusion"])
    assert confusion.trace() / confusion.sum() == pytest.approx(result["test_accuracy"])
    right = (trained / "test_correct.txt").read_text().strip()
    assert right.count("1") == confusion.trace()
    with Image.open(trained / "answers.png") as picture:
        assert picture.size == (1100, 460)
    assert call(digits, f"--workdir {trained} {SMALL}") == 0
    said = capsys.readouterr().out
    assert f"test accuracy {result['test_accuracy']:.2%} on 355" in said
    assert "answers.png" in said
    assert call(evaluate, f"--workdir {trained}") == 0
    assert f"accuracy {result['test_accuracy']:.2%}, 355 digits" in capsys.readouterr().out
    config = json.loads((trained / "config.json").read_text())
    assert (config["average_decay"], config["epochs"]) == (0.98, 12)  # that of few images; what was asked for


def test_which_digits_they_are_is_recorded(tmp_path, monkeypatch):
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path))
    assert call(digits, f"--workdir {tmp_path}/run {SMALL.replace('small', 'auto')} --epochs 1") == 0
    config = json.loads((tmp_path / "run" / "config.json").read_text())
    assert config["dataset"] == "small"


def test_an_image_is_read(trained, tmp_path, capsys):
    data = load(DigitSettings(dataset="small"))
    for number in range(4):  # of the training images: they are what it knows
        image = 255 - 255 * data.train.sequences[number]
        larger = np.pad(np.kron(image, np.ones((9, 9))), 30, constant_values=255)
        Image.fromarray(larger.astype(np.uint8)).save(tmp_path / f"{number}.png")
        assert call(digits, f"--workdir {trained} --predict {tmp_path}/{number}.png") == 0
    said = capsys.readouterr().out.splitlines()
    right = [f"png: {label}, with" in line for line, label in zip(said, data.train.labels[:4], strict=True)]
    assert sum(right) >= 3


def test_over_time_it_says_what_it_says_of_shorter_sequences(trained):
    opened = open_as(RECIPE, trained)
    data = load(DigitSettings(dataset="small"))
    sequence = data.test.sequences[5]
    over_time = probabilities_over_time(opened, sequence)
    assert over_time.shape == (8, 10)
    shorter = [sequence[:steps] for steps in (1, 5, 8)]
    np.testing.assert_allclose(probabilities(opened, shorter), over_time[[0, 4, 7]], atol=1e-6)
    split = data_of(opened.settings, data, "digits").test
    found = accuracies_over_time(opened, split, [0.125, 1.0])
    result = json.loads((trained / "result.json").read_text())
    assert found[1] == pytest.approx(result["test_accuracy"])
    assert found[0] < found[1]


def test_pixels_are_read_one_by_one(tmp_path):
    line = "--preset pixels_lru --dataset small --hidden-size 8 --epochs 1 --num-devices 1"
    assert call(digits, f"--workdir {tmp_path}/run {line}") == 0
    Image.fromarray(np.uint8([[0] * 9, [0] * 4 + [255] + [0] * 4, [0] * 9])).save(tmp_path / "dot.png")
    assert call(digits, f"--workdir {tmp_path}/run --predict {tmp_path}/dot.png") == 0


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("--workdir new --dataset mnist", "mnist is not prepared"),
        ("--workdir new --predict none.png", "new is not a run directory"),
        ("--workdir new --order spiral", "--order"),
        ("--workdir {trained} --predict none.png", "cannot be read as an image"),
    ],
)
def test_bad_input(trained, tmp_path, monkeypatch, line, words):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path))
    with pytest.raises(UserError, match=words):
        call(digits, line.format(trained=trained))
