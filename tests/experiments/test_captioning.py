"""Captioning as people learn it, of made-up pictures."""

import json

import pytest
from PIL import Image

from experiments import captioning
from rnn_jax.data.sources.photographs import synthetic
from tests.experiments.calling import call

pytest.importorskip("sacrebleu", reason="pip install sacrebleu")
SMALL = (
    "--dataset synthetic --hidden-size 16 --embedding-size 16 --dropout 0 --embedding-dropout 0 "
    "--word-dropout 0 --num-devices 1 --epochs 5 --batch-size 8 --learning-rate 0.005 --beams 2 --buckets 1"
)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    path = tmp_path_factory.mktemp("runs") / "trained"
    assert call(captioning, f"--workdir {path} {SMALL}") == 0
    return path


def test_a_run_says_how_it_came_out(trained, capsys):
    result = json.loads((trained / "result.json").read_text())
    assert (result["task"], result["dataset"]) == ("captioning", "synthetic")
    own, drawn, frequent = (result[f"test_{name}bleu"] for name in ("", "random_", "frequent_"))
    assert len(own) == len(drawn) == len(frequent) == 4
    assert own[-1] > max(drawn[-1], frequent[-1])
    for name in ("captions.png", "looks.png"):
        with Image.open(trained / name) as picture:
            assert picture.size[0] > 1000
    assert call(captioning, f"--workdir {trained} {SMALL}") == 0
    assert "looks.png" in capsys.readouterr().out


def test_it_says_what_a_picture_shows(trained, tmp_path, capsys):
    """The colour or the ground, of most."""
    right = 0
    found = synthetic(6, 9)
    for pixels, captions in zip(found.pixels, found.captions, strict=True):
        Image.fromarray(pixels).save(tmp_path / "own.png")
        assert call(captioning, f"--workdir {trained} --predict {tmp_path}/own.png") == 0
        said = capsys.readouterr().out
        colour, ground = captions[0].split()[1], captions[0].split()[-2]
        right += colour in said or ground in said
    assert right >= 4
