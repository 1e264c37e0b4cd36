"""The search for settings, with made-up runs."""

import re
import shlex
import shutil
import sys
from importlib import import_module
from pathlib import Path

import pytest

from experiments import recorded_runs, search
from experiments.searches import SEARCHES
from experiments.training import read_options
from rnn_jax.reporting.records import Record, read_records
from rnn_jax.settings import to_flat
from tests.reporting.recorded import write_run

RECORDS = Path(__file__).parents[2] / "results/search"
LSTM = SEARCHES["lstm"]
ROUND_ONE = {"draw-03": 0.91, "draw-05": 0.90, "draw-07": 0.89, "draw-11": 0.88}  # all others: 0.8
ROUND_TWO = {"draw-03": 0.85, "draw-05": 0.86, "draw-07": 0.87, "draw-11": 0.84}


@pytest.fixture
def ran(monkeypatch):
    """Writes made-up run directories in place of runs; returns the commands."""
    commands = []

    def run_all(lines):
        commands.extend(lines)
        for line in lines:
            folder = Path(re.search(r"--workdir (\S+)", line)[1])
            seed, name = int(folder.name.split("-")[1]), folder.parent.name
            accuracy = ROUND_ONE.get(name, 0.8) if seed == 0 else ROUND_TWO[name] + seed / 1000
            result = {"dataset": "imdb", "seed": seed, "validation_accuracy": accuracy, "test_examples": 0}
            result |= {"best_epoch": 1, "train_seconds": 1}
            write_run(folder, Record(name, {"seed": seed}, [], result, None))
        return 0

    monkeypatch.setattr(recorded_runs, "run_all", run_all)
    return commands


def search_lstm(tmp_path, monkeypatch):
    places = ["--records", str(tmp_path / "records"), "--runs", str(tmp_path / "runs")]
    monkeypatch.setattr(sys, "argv", ["search", "lstm", *places])
    return search.main()


def test_the_second_round_alone_chooses(ran, tmp_path, monkeypatch, capsys):
    assert search_lstm(tmp_path, monkeypatch) == 0
    assert "\nchosen: draw-07 --embedding-size" in capsys.readouterr().out
    assert len(ran) == LSTM.draws + LSTM.finalists * len(search.SECOND_SEEDS)
    second = {re.search(r"draw-\d+", line)[0] for line in ran[LSTM.draws :]}
    assert second == set(ROUND_TWO)
    assert all("--no-test" in line for line in ran)
    assert len(read_records(tmp_path / "records/lstm.jsonl")) == len(ran)


def test_what_is_recorded_is_not_run_again(ran, tmp_path, monkeypatch, capsys):
    search_lstm(tmp_path, monkeypatch)
    shutil.rmtree(tmp_path / "runs")
    first = capsys.readouterr().out.splitlines()[-1]
    ran.clear()
    assert search_lstm(tmp_path, monkeypatch) == 0
    assert capsys.readouterr().out.splitlines()[-1] == first
    assert ran == []


def values_of(settings, space):
    """The value of each option; all of them are there, and a value may bring a flag with it."""
    pattern = " ".join(f"--{name} ({'|'.join(map(str, choices))})" for name, choices in space.items())
    values = re.fullmatch(pattern, settings).groups()
    return {name: value.split()[0] for name, value in zip(space, values, strict=True)}


@pytest.mark.parametrize("name", SEARCHES)
def test_the_commands_are_understood(name, monkeypatch):
    chosen = SEARCHES[name]
    draws = search.draw_settings(chosen)
    first, *_ = search.runs_of(search.Options(name), draws, (3,))
    monkeypatch.setattr(sys, "argv", [chosen.script, *shlex.split(first.command)[3:]])
    script = import_module(f"experiments.{chosen.script}")
    options = read_options(script.Options, script.PRESETS, next(iter(script.PRESETS)))
    assert (options.workdir, options.read_test) == (f"runs/search/{name}/draw-00/seed-3", False)
    assert to_flat(options.settings)["dataset"] == chosen.dataset
    assert options.settings.training.seed == 3
    for name, value in values_of(draws["draw-00"], chosen.space).items():
        found = to_flat(options.settings)[name.replace("-", "_")]
        assert found == type(found)(value)


@pytest.mark.parametrize("chosen", SEARCHES.values(), ids=SEARCHES.keys())
def test_draws_are_the_same_every_time_and_within_the_space(chosen):
    draws = search.draw_settings(chosen)
    assert draws == search.draw_settings(chosen)
    for settings in draws.values():
        values_of(settings, chosen.space)
    assert len(set(draws.values())) == chosen.draws


@pytest.mark.parametrize("name", SEARCHES)
def test_the_committed_records_are_of_these_draws(name):
    space = SEARCHES[name].space
    draws = search.draw_settings(SEARCHES[name])
    for record in read_records(RECORDS / f"{name}.jsonl"):
        for option, value in values_of(draws[record.name], space).items():
            found = record.config[option.replace("-", "_")]
            assert found == type(found)(value)
