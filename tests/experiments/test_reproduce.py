"""Rows of the results table: which are missing, and whether one run again gives the same digits."""

import re
import sys
from pathlib import Path

import numpy as np
import pytest

from experiments import reproduce
from rnn_jax.reporting.runs import load_runs
from tests.reporting.recorded import change, record


@pytest.fixture
def ran(monkeypatch):
    """Writes made-up records in place of runs; returns the commands."""
    commands = []

    def run_all(lines):
        commands.extend(lines)
        for line in lines:
            folder = Path(re.search(r"--workdir (\S+)", line)[1])
            record(folder, folder.parent.name, int(folder.name.split("-")[1]), 0.88)
        return 0

    monkeypatch.setattr(reproduce, "run_all", run_all)
    return commands


def run(monkeypatch, *arguments):
    monkeypatch.setattr(sys, "argv", ["reproduce", *map(str, arguments)])
    return reproduce.main()


def test_rows_are_run_with_five_seeds_and_baselines_once(ran, tmp_path, monkeypatch):
    assert run(monkeypatch, "--raw", tmp_path, "--row", "gru", "nb_svm") == 0
    assert ran[0] == (
        "python -m experiments.imdb_sentiment --preset gru --seed 0 --dataset imdb "
        f"--workdir {tmp_path}/cpu/gru/seed-0"
    )
    assert len(ran) == 5 + 1
    assert ran[-1] == f"python -m experiments.nb_svm --dataset imdb --workdir {tmp_path}/cpu/nb_svm/seed-0"


def test_it_lists_what_is_missing_and_runs_nothing(ran, tmp_path, monkeypatch, capsys):
    for seed in (0, 3):
        record(tmp_path / f"cpu/lstm/seed-{seed}", "lstm", seed, 0.88)
    assert run(monkeypatch, "--raw", tmp_path, "--list") == 0
    (line,) = (line for line in capsys.readouterr().out.splitlines() if " lstm " in line)
    assert [cell.strip() for cell in line.strip("│").split("│")] == ["lstm", "0, 3", "1, 2, 4"]
    assert ran == []


def test_the_same_digits_again(ran, tmp_path, monkeypatch, capsys):
    """Other times, and nothing recorded."""
    record(tmp_path / "cpu/lstm/seed-3", "lstm", 3, 0.88)
    change(tmp_path / "cpu/lstm/seed-3/result.json", train_seconds=1.0, commit="another")
    before = sorted(tmp_path.rglob("*"))
    assert run(monkeypatch, "--raw", tmp_path, "--row", "lstm", "--check") == 0
    assert capsys.readouterr().out == "lstm, seed 3: the same digits, test accuracy 88.00%\n"
    assert "--seed 3" in ran[0]
    assert ran[0].endswith(" --num-devices 2")  # as recorded
    assert sorted(tmp_path.rglob("*")) == before


def test_other_digits_are_named_with_what_may_have_made_them(ran, tmp_path, monkeypatch, capsys):
    folder = tmp_path / "cpu/lstm/seed-0"
    record(folder, "lstm", 0, 0.88)
    change(folder / "result.json", best_epoch=1, versions={"jax": "0.9"})
    log = folder / "metrics.jsonl"
    *lines, last = log.read_text().splitlines()
    log.write_text("\n".join([*lines, last.replace("0.35", "0.36")]) + "\n")
    assert run(monkeypatch, "--raw", tmp_path, "--row", "lstm", "--check") == 1
    printed = capsys.readouterr().out
    assert "best_epoch 1 against 2; the log differs from epoch 2 on" in printed
    assert "recorded with jax 0.9 on 2 × A Processor, run again with jax 0.10.2" in printed


def test_there_must_be_something_to_compare_with(ran, tmp_path, monkeypatch):
    with pytest.raises(reproduce.UserError, match="no run of gru on cpu to compare with: run one first"):
        run(monkeypatch, "--raw", tmp_path, "--row", "gru", "--check")


def test_other_answers_count_even_where_as_many_are_right(tmp_path):
    record(tmp_path / "cpu/nb_svm/seed-0", "nb_svm", 0, 0.5)
    (run,) = load_runs(tmp_path)
    first, second = (run._replace(correct=np.array(answers)) for answers in ([True, False], [False, True]))
    assert reproduce.differences(first, first) == []
    assert reproduce.differences(first, second) == ["2 test reviews are answered otherwise"]
    assert reproduce.differences(first, run) == []  # an older record has none
