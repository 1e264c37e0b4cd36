"""The baseline's script on the synthetic reviews."""

import json
import re
import sys

import pytest

from experiments import nb_svm
from rnn_jax.data import dataset as datasets
from rnn_jax.errors import UserError
from rnn_jax.models.nb_svm import fit
from rnn_jax.reporting.records import add_record, record_of
from rnn_jax.reporting.runs import group_rows, load_runs
from rnn_jax.reporting.tables import results_table
from rnn_jax.training.run_directory import RunDirectory
from tests.training.runs import make_run

pytest.importorskip("sklearn", reason="scikit-learn is in the extra 'baselines'")


def test_it_trains_once_and_makes_a_row_of_the_table(tmp_path, monkeypatch, capsys):
    path = tmp_path / "run"
    arguments = ["nb_svm", "--dataset", "synthetic", "--ngrams", "2", "--workdir", str(path)]
    monkeypatch.setattr(sys, "argv", arguments)
    monkeypatch.setattr(nb_svm, "CHOICES_OF_C", (0.01, 0.1))
    nb_svm.main()
    result = json.loads((path / "result.json").read_text())
    assert 0.5 < result["test_accuracy"] < 0.7  # the order of words decides there
    assert "C = 0.1: validation accuracy" in capsys.readouterr().out
    add_record(tmp_path / "raw/cpu/nb_svm.jsonl", record_of("nb_svm", RunDirectory(path)))
    row = results_table(group_rows(load_runs(tmp_path / "raw"))).splitlines()[2]
    assert row.startswith("| nb_svm (synthetic reviews) |")
    assert f"| {100 * result['test_accuracy']:.2f} | – | – | 1 | – | – |" in row
    nb_svm.main()
    assert "has finished already" in capsys.readouterr().out
    monkeypatch.setattr(sys, "argv", [*arguments, "--refit"])
    with pytest.raises(UserError, match=r"other settings \(refit: False against True\): choose another"):
        nb_svm.main()


@pytest.mark.slow
def test_c_is_the_best_on_validation_and_a_refit_trains_on_both(tmp_path, monkeypatch, capsys):
    fits = []

    def spy(features, labels, c):
        fits.append((len(labels), features.shape[0], c))
        return fit(features, labels, c)

    monkeypatch.setattr(nb_svm, "fit", spy)
    monkeypatch.setattr(nb_svm, "CHOICES_OF_C", (1e-9, 0.1, 1e-8))
    chosen = []
    for refit in ([], ["--refit"]):
        path = tmp_path / f"seed-{len(chosen)}"
        arguments = ["--dataset", "synthetic", "--ngrams", "2", "--workdir", str(path), *refit]
        monkeypatch.setattr(sys, "argv", ["nb_svm", *arguments])
        nb_svm.main()
        printed = re.findall(r"C = (\S+): validation accuracy ([\d.]+)%", capsys.readouterr().out)
        best = max(printed, key=lambda line: float(line[1]))
        assert float(best[1]) > min(float(accuracy) for _, accuracy in printed)
        result, config = (json.loads((path / f"{name}.json").read_text()) for name in ("result", "config"))
        assert result["validation_accuracy"] == pytest.approx(float(best[1]) / 100, abs=1e-4)
        assert config["c"] == fits[-1][2] == float(best[0])
        chosen.append(fits[-1])
    train, both = chosen
    data = datasets.load(
        datasets.TextSettings(dataset="synthetic", vocabulary_size=200_000, max_length=10_000)
    )
    assert train[0] == train[1] == len(data.train)
    assert both[0] == both[1] == len(data.train) + len(data.validation)


@pytest.mark.slow
def test_it_leaves_the_run_of_a_network_alone(tmp_path, monkeypatch):
    make_run(tmp_path).train("command")
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    monkeypatch.setattr(sys, "argv", ["nb_svm", "--dataset", "synthetic", "--workdir", str(tmp_path)])
    with pytest.raises(UserError, match="network: recurrent against nb_svm"):
        nb_svm.main()
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before
