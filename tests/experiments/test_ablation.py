"""The ablation: its commands differ from the preset in what they leave out."""

import shlex
import sys
from pathlib import Path

import pytest

from experiments import ablation
from experiments.imdb_sentiment import Options
from experiments.presets import PRESETS
from experiments.training import read_options
from rnn_jax.reporting.records import read_records
from rnn_jax.settings import differences

RECORDS = Path(__file__).parents[2] / "results/ablation"


def commands(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["ablation", "--seeds", "1", "--dry-run"])
    assert ablation.main() == 0
    return dict(zip(ablation.ABLATIONS, capsys.readouterr().out.splitlines(), strict=True))


@pytest.mark.parametrize("name", ablation.ABLATIONS)
def test_each_leaves_out_what_its_name_says(name, monkeypatch, capsys):
    line = commands(monkeypatch, capsys)[name]
    monkeypatch.setattr(sys, "argv", shlex.split(line)[2:])
    options = read_options(Options, PRESETS, "lstm")
    assert options.test is False
    assert options.workdir == f"runs/ablation/{ablation.file_name(name)}/seed-1"
    changed = differences(options.settings, PRESETS["best"]).keys() - {"dataset", "seed"}
    given = {
        word[2:].removeprefix("no-") for word in ablation.ABLATIONS[name].split() if word.startswith("--")
    }
    assert changed == {option.replace("-", "_") for option in given}


def test_what_is_missing_is_run(monkeypatch):
    ran = []
    monkeypatch.setattr(ablation, "run_missing", lambda runs: ran.extend(runs) or 0)
    monkeypatch.setattr(sys, "argv", ["ablation", "--seeds", "1", "2"])
    assert ablation.main() == 0
    assert len({run.command for run in ran}) == 2 * len(ablation.ABLATIONS)
    assert len({run.file for run in ran}) == len(ablation.ABLATIONS)


def test_the_committed_records_are_of_these_networks():
    runs = ablation.runs_of(ablation.Options(records=str(RECORDS)))
    known = {(run.file, run.name) for run in runs}
    assert {(file, r.name) for file in RECORDS.iterdir() for r in read_records(file)} <= known
