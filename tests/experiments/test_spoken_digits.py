"""Spoken digits as people learn them, on made-up recordings."""

import json

import numpy as np
import pytest
from PIL import Image
from scipy.io import wavfile

from experiments import spoken_digits
from rnn_jax.data.sources.sounds import RATE
from rnn_jax.data.sources.spoken_digits import synthetic
from rnn_jax.errors import UserError
from tests.experiments.calling import call

SMALL = "--dataset synthetic --hidden-size 16 --num-devices 1 --epochs 8 --learning-rate 0.01"


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    path = tmp_path_factory.mktemp("runs") / "trained"
    assert call(spoken_digits, f"--workdir {path} {SMALL}") == 0
    return path


def test_a_run_says_how_it_came_out(trained, capsys):
    result = json.loads((trained / "result.json").read_text())
    assert (result["task"], result["dataset"]) == ("spoken_digits", "synthetic")
    assert result["test_accuracy"] > 0.9
    for name, size in (("answers.png", (1100, 460)), ("over_time.png", (1170, 460))):
        with Image.open(trained / name) as picture:
            assert picture.size == size
    assert call(spoken_digits, f"--workdir {trained} {SMALL}") == 0
    assert "over_time.png" in capsys.readouterr().out


def test_a_recording_is_heard(trained, tmp_path, capsys):
    """At another rate and another loudness."""
    heard = [each for each in synthetic() if (each.speaker, each.number) == ("theo", 12)][:4]
    for each in heard:
        twice = np.repeat(each.sound, 2)  # as often, at twice the rate
        wavfile.write(tmp_path / "digit.wav", 2 * RATE, (20_000 * twice).astype(np.int16))
        assert call(spoken_digits, f"--workdir {trained} --predict {tmp_path}/digit.wav") == 0
    said = capsys.readouterr().out.splitlines()
    right = [f"digit.wav: {each.label}, with" in line for line, each in zip(said, heard, strict=True)]
    assert sum(right) >= 3


def test_a_stereo_file_is_refused(trained, tmp_path):
    wavfile.write(tmp_path / "two.wav", RATE, np.ones((50, 2), np.int16))
    with pytest.raises(UserError, match="has 2 channels"):
        call(spoken_digits, f"--workdir {trained} --predict {tmp_path}/two.wav")
