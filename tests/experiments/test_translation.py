"""Translation as people learn it, of made-up sentences."""

import importlib.util
import json

import pytest
from PIL import Image

from experiments import evaluate, translation
from rnn_jax.data.sources.translations import synthetic
from rnn_jax.errors import UserError
from rnn_jax.tasks.bleu import bleu
from tests.experiments.calling import call

pytest.importorskip("sacrebleu", reason="pip install sacrebleu")
SMALL = (
    "--dataset synthetic --hidden-size 32 --embedding-size 16 --dropout 0 --embedding-dropout 0 "
    "--word-dropout 0 --num-devices 1 --epochs 6 --learning-rate 0.01 --beams 2"
)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    path = tmp_path_factory.mktemp("runs") / "trained"
    assert call(translation, f"--workdir {path} {SMALL}") == 0
    return path


def test_a_run_says_how_it_came_out(trained, capsys):
    result = json.loads((trained / "result.json").read_text())
    assert (result["task"], result["dataset"], result["attention"]) == ("translation", "synthetic", "luong")
    assert result["test_bleu"] > 90
    assert result["test_bleu"] > result["test_nearest_bleu"] > 10
    written = (trained / "test_translations.txt").read_text().splitlines()
    references = [target for _, target in synthetic()[:200]]
    assert result["test_bleu"] == pytest.approx(bleu(written, [[text] for text in references]))
    with Image.open(trained / "alignments.png") as picture:
        assert picture.size[0] > 300
    assert call(translation, f"--workdir {trained} {SMALL}") == 0
    assert "alignments.png" in capsys.readouterr().out


def test_it_is_evaluated_like_any_other(trained, capsys):
    assert call(evaluate, f"--workdir {trained}") == 0
    result = json.loads((trained / "result.json").read_text())
    assert f"{result['test_perplexity']:.4f}" in capsys.readouterr().out


def test_a_sentence_is_translated(trained, capsys):
    assert call(translation, f'--workdir {trained} --predict "Ma kido en nevo navu piko pintat."') == 0
    assert capsys.readouterr().out == "a child paints the small boat in the snow.\n"
    assert call(translation, f'--workdir {trained} --predict "Ma kido domu ROSO xyz vidat."') == 0
    said = capsys.readouterr()
    assert said.out == "a child sees the red house.\n"
    assert said.err == "warning: 1 words and signs of it are unknown to this run\n"
    for sentence, words in (
        ("", "words and signs: this run reads 1 to"),
        ("so " * 40, "words and signs: this run reads 1 to"),
        ("Ein Hund", "no word of it is known to this run, which has learnt synthetic"),
    ):
        with pytest.raises(UserError, match=words):
            call(translation, f"--workdir {trained} --predict {sentence!r}")


def test_words_that_are_too_rare(tmp_path):
    with pytest.raises(UserError, match="--min-count 5000: no word of the training texts occurs so often"):
        call(translation, f"--workdir {tmp_path}/run {SMALL} --min-count 5000")


def test_bleu_is_counted_as_published():
    """Clipped counts, and a penalty for short texts: examples of Papineni et al. (2002)."""
    assert bleu(["the the the the the the the"], [["The cat is on the mat"]], order=1) == pytest.approx(
        100 * 2 / 7
    )
    short = bleu(["the cat"], [["the cat is on the mat"]], order=1)
    assert short == pytest.approx(100 * 2.718281828 ** (1 - 6 / 2), rel=1e-6)


def test_without_sacrebleu_nothing_is_trained(tmp_path, monkeypatch):
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *a: None if name == "sacrebleu" else find(name, *a)
    )
    with pytest.raises(UserError, match="pip install sacrebleu"):
        call(translation, f"--workdir {tmp_path}/run {SMALL}")
    assert not (tmp_path / "run").exists()
