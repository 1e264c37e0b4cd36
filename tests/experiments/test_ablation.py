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


def commands(monkeypatch, capsys, preset):
    monkeypatch.setattr(sys, "argv", ["ablation", "--preset", preset, "--seeds", "1", "--dry-run"])
    assert ablation.main() == 0
    lines = [line for line in capsys.readouterr().out.splitlines() if "imdb_sentiment" in line]
    return dict(zip(ablation.OF[preset].networks, lines, strict=True))


@pytest.mark.parametrize(
    ("preset", "name"), [(preset, name) for preset, of in ablation.OF.items() for name in of.networks]
)
def test_each_leaves_out_what_its_name_says(preset, name, monkeypatch, capsys):
    line = commands(monkeypatch, capsys, preset)[name]
    monkeypatch.setattr(sys, "argv", shlex.split(line)[2:])
    options = read_options(Options, PRESETS, "lstm")
    networks, folder = ablation.OF[preset]
    assert options.read_test is False
    assert Path(options.workdir) == Path("runs/ablation") / folder / ablation.file_name(name) / "seed-1"
    assert (options.init_from is not None) == (preset == "semi_supervised" and name != ablation.DRAWN)
    changed = differences(options.settings, PRESETS[preset]).keys() - {"dataset", "seed"}
    given = {word[2:].removeprefix("no-") for word in networks[name].split() if word.startswith("--")}
    assert changed == {option.replace("-", "_") for option in given}


def test_what_is_missing_is_run(monkeypatch):
    ran = []
    monkeypatch.setattr(ablation, "run_missing", lambda runs: ran.extend(runs) or 0)
    monkeypatch.setattr(sys, "argv", ["ablation", "--seeds", "1", "2"])
    assert ablation.main() == 0
    assert len({run.command for run in ran}) == 2 * len(ablation.ABLATIONS)
    assert len({run.file for run in ran}) == len(ablation.ABLATIONS)


def test_the_committed_records_are_of_these_networks():
    options = [ablation.Options(preset=preset, records=str(RECORDS)) for preset in ablation.OF]
    known = {(run.file, run.name) for each in options for run in ablation.runs_of(each)}
    assert {(file, r.name) for file in RECORDS.rglob("*.jsonl") for r in read_records(file)} <= known
