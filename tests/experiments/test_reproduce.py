"""Rows of the results table: which are missing, and whether one run again gives the same digits."""

import re
import sys
from pathlib import Path

import numpy as np
import pytest

from experiments import recorded_runs, reproduce
from experiments.presets import PRESETS
from rnn_jax.reporting.records import add_record, read_records
from rnn_jax.reporting.runs import load_runs
from rnn_jax.settings import to_flat
from tests.reporting.recorded import change, made_up, record, write_run

RESULTS = Path(__file__).parents[2] / "results/raw"


@pytest.fixture
def ran(monkeypatch):
    """Writes made-up run directories in place of runs; returns the commands."""
    commands = []

    def run_all(lines):
        commands.extend(lines)
        for line in lines:
            preset = re.search(r"--preset (\S+)|$", line)[1] or "nb_svm"
            seed = int(re.search(r"--seed (\d+)|$", line)[1] or 0)
            write_run(Path(re.search(r"--workdir (\S+)", line)[1]), made_up(preset, seed, 0.88))
        return 0

    for module in (recorded_runs, reproduce):
        monkeypatch.setattr(module, "run_all", run_all)
    return commands


@pytest.fixture
def run(tmp_path, monkeypatch):
    def call(*arguments):
        places = ["--raw", str(tmp_path / "raw"), "--runs", str(tmp_path / "runs")]
        monkeypatch.setattr(sys, "argv", ["reproduce", *places, *arguments])
        return reproduce.main()

    return call


@pytest.fixture
def lstm(tmp_path):
    return tmp_path / "raw/cpu/lstm.jsonl"


def files(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_rows_are_run_with_five_seeds_and_baselines_once(ran, run, tmp_path):
    assert run("--row", "gru", "nb_svm") == 0
    assert ran[0] == (
        "python -m experiments.imdb_sentiment --preset gru --seed 0 --dataset imdb "
        f"--workdir {tmp_path}/runs/cpu/gru/seed-0"
    )
    assert len(ran) == 5 + 1
    assert ran[-1] == (
        f"python -m experiments.nb_svm --dataset imdb --workdir {tmp_path}/runs/cpu/nb_svm/seed-0"
    )
    recorded = [(run.platform, run.preset, run.result["seed"]) for run in load_runs(tmp_path / "raw")]
    assert recorded == [*(("cpu", "gru", seed) for seed in range(5)), ("cpu", "nb_svm", 0)]


def test_only_what_is_not_recorded_is_run(ran, run, lstm, monkeypatch):
    monkeypatch.setattr(reproduce, "check_presets", lambda runs: None)  # made-up settings
    for seed in (0, 3):
        record(lstm, seed, 0.9)
    before = lstm.read_text().splitlines()
    assert run("--row", "lstm") == 0
    assert [re.search(r"--seed (\d)", line)[1] for line in ran] == ["1", "2", "4"]
    after = lstm.read_text().splitlines()
    assert len(after) == 5
    assert (after[0], after[3]) == tuple(before)


def test_a_run_that_fails_is_not_recorded_and_the_others_wait(run, lstm, monkeypatch):
    monkeypatch.setattr(recorded_runs, "run_all", lambda lines: 143)
    assert run("--row", "lstm") == 143
    assert not lstm.exists()


def test_it_lists_what_is_missing_and_runs_nothing(ran, run, lstm, capsys):
    for seed in (0, 3):
        record(lstm, seed, 0.88)
    other = made_up("lstm", 1, 0.88)
    add_record(lstm, other._replace(result=other.result | {"dataset": "synthetic"}))
    assert run("--list") == 0
    (line,) = (line for line in capsys.readouterr().out.splitlines() if " lstm " in line)
    assert [cell.strip() for cell in line.strip("│").split("│")] == ["lstm", "0, 3", "1, 2, 4"]
    assert ran == []


def test_the_same_digits_again(ran, run, lstm, tmp_path, capsys):
    """Other times, and nothing recorded."""
    record(lstm, 3, 0.88)
    change(lstm, 3, train_seconds=1.0, commit="another")
    before = files(tmp_path)
    assert run("--row", "lstm", "--check") == 0
    assert capsys.readouterr().out == "lstm, seed 3: the same digits, test accuracy 88.00%\n"
    assert "--seed 3" in ran[0]
    assert ran[0].endswith(" --num-devices 2")  # as recorded
    assert files(tmp_path) == before


def test_other_digits_are_named_with_what_may_have_made_them(ran, run, lstm, capsys):
    record(lstm, 0, 0.88)
    change(lstm, 0, best_epoch=1, versions={"jax": "0.9"})
    lstm.write_text(lstm.read_text().replace('"train_loss": 0.35', '"train_loss": 0.36'))
    assert run("--row", "lstm", "--check") == 1
    printed = capsys.readouterr().out
    assert "best_epoch 1 against 2; the log differs from epoch 2 on" in printed
    assert "recorded with jax 0.9 on 2 × A Processor, run again with jax 0.10.2" in printed


def test_there_must_be_something_to_compare_with(ran, run):
    with pytest.raises(reproduce.UserError, match="no run of gru on cpu to compare with: run one first"):
        run("--row", "gru", "--check")


def test_other_answers_count_even_where_as_many_are_right(tmp_path):
    record(tmp_path / "cpu/nb_svm.jsonl", 0, 0.5)
    (run,) = load_runs(tmp_path)
    first, second = (run._replace(correct=np.array(answers)) for answers in ([True, False], [False, True]))
    assert reproduce.differences(first, first) == []
    assert reproduce.differences(first, second) == ["2 test reviews are answered otherwise"]
    assert reproduce.differences(first, run) == []  # an older record has none


def test_records_of_other_settings_than_the_preset_has_are_refused(ran, run, lstm):
    other = made_up("lstm", 1, 0.88)
    settings = to_flat(PRESETS["lstm"]) | {"dataset": "imdb", "seed": 1, "hidden_size": 31}
    add_record(lstm, other._replace(config=settings))
    with pytest.raises(reproduce.UserError, match=r"lstm.jsonl has seed 1 .*\(hidden_size: 31 against 32\)"):
        run("--row", "lstm")
    assert ran == []


def test_the_committed_records_are_of_these_rows_and_presets(monkeypatch):
    monkeypatch.setattr(reproduce.jax, "default_backend", lambda: "cpu")
    runs = reproduce.runs_of(reproduce.Options(raw=str(RESULTS)))
    reproduce.check_presets(runs)
    recorded = [record for file in RESULTS.glob("cpu/*") for record in read_records(file)]
    assert {record.key for record in recorded} <= {(each.name, "imdb", each.seed) for each in runs}
    assert all(record.correct.size == 25_000 for record in recorded)
