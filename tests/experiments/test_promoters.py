"""Promoters as people look for them, in made-up pieces."""

import json

import numpy as np
import pytest
from PIL import Image

from experiments import promoters
from rnn_jax.data.sources.promoters import BASES, STARTS, PromoterSettings, load, one_hot, synthetic
from rnn_jax.errors import UserError
from rnn_jax.tasks import open_as
from rnn_jax.tasks.promoters import RECIPE, contributions
from rnn_jax.tasks.vector_classifier import data_of, probabilities
from tests.experiments.calling import call

SMALL = "--preset ecoli_logistic_regression --dataset synthetic --num-devices 1 --learning-rate 0.02"


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    path = tmp_path_factory.mktemp("runs") / "trained"
    assert call(promoters, f"--workdir {path} {SMALL}") == 0
    return path


def test_a_run_says_how_it_came_out(trained, capsys):
    result = json.loads((trained / "result.json").read_text())
    assert result["test_accuracy"] > 0.8
    with Image.open(trained / "motifs.png") as picture:
        assert picture.size == (1100, 360)
    assert call(promoters, f"--workdir {trained} {SMALL}") == 0
    (_, false), (_, true) = result["test_confusion"]
    total = sum(map(sum, result["test_confusion"]))
    said = capsys.readouterr().out
    assert f"specificity {1 - false / (total / 2):.3f}" in said
    assert f"sensitivity {true / (total / 2):.3f}" in said


def test_without_data_it_learns_made_up_pieces(tmp_path, monkeypatch):
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path))
    assert (
        call(promoters, f"--workdir {tmp_path}/run --hidden-size 4 --num-devices 1 --epochs 1 --no-test") == 0
    )
    assert json.loads((tmp_path / "run/config.json").read_text())["dataset"] == "synthetic"


def test_what_speaks_for_a_promoter_is_what_was_put_there(trained):
    opened = open_as(RECIPE, trained)
    data = load(PromoterSettings(dataset="synthetic"))
    found = contributions(opened, data_of(opened.settings, data, "pieces").test)
    assert found.shape == (81, 4)
    totals, start = found.sum(axis=1), STARTS["synthetic"]
    boxes = np.zeros(81, bool)
    boxes[start - 36 : start - 28] = boxes[start - 13 : start - 5] = True
    assert totals[boxes].sum() > 3 * abs(totals[~boxes].sum())


def test_to_first_order_contributions_are_differences(tmp_path):
    """Of one base at one place against the mean of the four."""
    line = "--dataset synthetic --hidden-size 8 --num-devices 1 --epochs 1 --no-test"
    assert call(promoters, f"--workdir {tmp_path} {line}") == 0
    opened = open_as(RECIPE, tmp_path)
    data = load(PromoterSettings(dataset="synthetic"))
    place = int(np.flatnonzero(data.test.labels == 1)[0])
    one = data._replace(test=data.test.take(np.array([place])))
    found = contributions(opened, data_of(opened.settings, one, "pieces").test)
    sequence, small = data.test.sequences[place], 0.02

    def log_odds(values):
        probability = probabilities(opened, [values])[0, 1].astype(np.float64)
        return np.log(probability / (1 - probability))

    for t in (22, 50):
        there, away = sequence.copy(), sequence.copy()
        for moved, sign in ((there, 1), (away, -1)):
            moved[t] += sign * small * (sequence[t] - 1 / len(BASES))
        slope = (log_odds(there) - log_odds(away)) / (2 * small)
        assert found[t].sum() == pytest.approx(slope, rel=0.1, abs=2e-3)


def test_pieces_of_ones_own(trained, tmp_path, capsys):
    pieces = synthetic()
    chosen = [(f"piece {i % 5}", pieces.sequences[i]) for i in range(6)]  # two of a name
    text = "".join(f">{name}\n{bases[:60].lower()}\n{bases[60:]}\n" for name, bases in chosen)
    (tmp_path / "mine.fa").write_text(text)
    assert call(promoters, f"--workdir {trained} --predict {tmp_path}/mine.fa") == 0
    said = capsys.readouterr().out.splitlines()
    assert [line.split(":")[0] for line in said] == [name for name, _ in chosen]
    found = [float(line.split()[-1].rstrip("%")) / 100 for line in said]
    opened = open_as(RECIPE, trained)
    expected = [probabilities(opened, [one_hot(bases)])[0, 1] for _, bases in chosen]
    np.testing.assert_allclose(found, expected, atol=6e-4)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (">a\nACGT\n", "a has 4 bases: this run knows pieces of 81"),
        (">a\nACQT\n", "a has the letter 'Q'"),
        ("nothing", "does not begin with a line >NAME"),
        ("ACGT\n>a\nACGT\n", "does not begin with a line >NAME"),
        (None, "cannot be read as FASTA"),
    ],
)
def test_what_is_no_piece(trained, tmp_path, text, words):
    if text is not None:
        (tmp_path / "mine.fa").write_text(text)
    with pytest.raises(UserError, match=words):
        call(promoters, f"--workdir {trained} --predict {tmp_path}/mine.fa")
