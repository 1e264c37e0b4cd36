"""The search for settings, with made-up runs."""

import json
import re
import shlex
import sys
from pathlib import Path

import pytest

from experiments import search
from experiments.imdb_sentiment import read_options

LSTM = search.SEARCHES["lstm"]
ROUND_ONE = {"draw-03": 0.91, "draw-05": 0.90, "draw-07": 0.89, "draw-11": 0.88}  # all others: 0.8
ROUND_TWO = {"draw-03": 0.85, "draw-05": 0.86, "draw-07": 0.87, "draw-11": 0.84}


@pytest.fixture
def ran(monkeypatch):
    """Records made-up results in place of runs; returns the commands."""
    commands = []

    def run_all(lines):
        commands.extend(lines)
        for line in lines:
            folder = Path(re.search(r"--workdir (\S+)", line)[1])
            seed, name = int(folder.name.split("-")[1]), folder.parent.name
            accuracy = ROUND_ONE.get(name, 0.8) if seed == 0 else ROUND_TWO[name] + seed / 1000
            folder.mkdir(parents=True)
            (folder / "config.json").write_text(json.dumps({"seed": seed}))
            result = {"seed": seed, "validation_accuracy": accuracy, "test_accuracy": None}
            (folder / "result.json").write_text(json.dumps(result | {"best_epoch": 1, "train_seconds": 1}))
        return 0

    monkeypatch.setattr(search, "run_all", run_all)
    return commands


def test_the_second_round_alone_chooses(ran, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["search", "lstm", "--records", str(tmp_path)])
    assert search.main() == 0
    assert capsys.readouterr().out.startswith("chosen: draw-07 --embedding-size")
    assert len(ran) == LSTM.draws + LSTM.finalists * len(search.SECOND_SEEDS)
    second = {re.search(r"draw-\d+", line)[0] for line in ran[LSTM.draws :]}
    assert second == set(ROUND_TWO)


def test_no_run_reads_the_test_split(ran, tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["search", "lstm", "--records", str(tmp_path)])
    search.main()
    assert all("--no-test" in line for line in ran)


def values_of(settings, space):
    """The value of each option; all of them are there, and a value may bring a flag with it."""
    pattern = " ".join(f"--{name} ({'|'.join(map(str, choices))})" for name, choices in space.items())
    values = re.fullmatch(pattern, settings).groups()
    return {name: value.split()[0] for name, value in zip(space, values, strict=True)}


@pytest.mark.parametrize("chosen", search.SEARCHES.values(), ids=search.SEARCHES.keys())
def test_the_commands_are_understood(chosen, monkeypatch):
    draws = search.draw_settings(chosen)
    first, *_ = search.commands(chosen.options, draws, (3,), Path("somewhere"))
    monkeypatch.setattr(sys, "argv", ["imdb_sentiment", *shlex.split(first)[3:]])
    options = read_options()
    assert (options.test, options.config.seed) == (False, 3)
    for name, value in values_of(draws["draw-00"], chosen.space).items():
        found = getattr(options.config, name.replace("-", "_"))
        assert found == type(found)(value)


@pytest.mark.parametrize("chosen", search.SEARCHES.values(), ids=search.SEARCHES.keys())
def test_draws_are_the_same_every_time_and_within_the_space(chosen):
    draws = search.draw_settings(chosen)
    assert draws == search.draw_settings(chosen)
    for settings in draws.values():
        values_of(settings, chosen.space)
    assert len(set(draws.values())) == chosen.draws
