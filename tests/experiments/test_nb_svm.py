"""The baseline's script on the synthetic reviews."""

import json
import sys

import pytest

from experiments import nb_svm
from rnn_jax.errors import UserError
from rnn_jax.reporting.runs import group_rows, load_runs
from rnn_jax.reporting.tables import results_table
from tests.training.runs import make_run

pytest.importorskip("sklearn", reason="scikit-learn is in the extra 'baselines'")


def test_it_trains_once_and_makes_a_row_of_the_table(tmp_path, monkeypatch, capsys):
    path = tmp_path / "cpu/nb_svm/seed-0"
    arguments = ["nb_svm", "--dataset", "synthetic", "--ngrams", "2", "--workdir", str(path)]
    monkeypatch.setattr(sys, "argv", arguments)
    monkeypatch.setattr(nb_svm, "CHOICES_OF_C", (0.01, 0.1))
    nb_svm.main()
    result = json.loads((path / "result.json").read_text())
    assert 0.5 < result["test_accuracy"] < 0.7  # the order of words decides there
    assert "C = 0.1: validation accuracy" in capsys.readouterr().out
    row = results_table(group_rows(load_runs(tmp_path))).splitlines()[2]
    assert row.startswith("| nb_svm (synthetic reviews) |")
    assert f"| {100 * result['test_accuracy']:.2f} | – | – | 1 | – | – |" in row
    nb_svm.main()
    assert "has finished already" in capsys.readouterr().out
    monkeypatch.setattr(sys, "argv", [*arguments, "--refit"])
    with pytest.raises(UserError, match=r"other settings \(refit: False against True\): choose another"):
        nb_svm.main()


def test_it_leaves_the_run_of_a_network_alone(tmp_path, monkeypatch):
    make_run(tmp_path).train("command")
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    monkeypatch.setattr(sys, "argv", ["nb_svm", "--dataset", "synthetic", "--workdir", str(tmp_path)])
    with pytest.raises(UserError, match="network: recurrent against nb_svm"):
        nb_svm.main()
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before
