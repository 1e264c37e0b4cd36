"""Rows of the results table: which are missing, and whether one run again gives the same digits."""

import re
import sys
from pathlib import Path

import numpy as np
import pytest

from experiments import recorded_runs, reproduce
from experiments.language_model import PRESETS as TEXTS
from experiments.presets import PRESETS
from rnn_jax.reporting.records import add_record, read_records
from rnn_jax.reporting.runs import load_runs
from rnn_jax.settings import to_flat
from tests.reporting.recorded import change, made_up, made_up_language_model, record, write_run

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
            folder = Path(re.search(r"--workdir (\S+)", line)[1])
            write_run(folder, language_model(preset) if preset in TEXTS else made_up(preset, seed, 0.88))
            (folder / "checkpoints/20").mkdir(parents=True)
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


@pytest.fixture
def reviews(tmp_path):
    """The directory of the run that `semi_supervised` starts from."""
    return tmp_path / "runs/cpu/reviews/seed-0"


def language_model(preset):
    """The record of a language model with the settings of its preset."""
    settings = to_flat(TEXTS[preset])
    record = made_up_language_model(preset, 0, 1.5, dataset=settings["dataset"])
    return record._replace(config=settings | {"task": "language_model", "seed": 0})


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


def cells(line):
    return [cell.strip() for cell in line.strip("│").split("│")]


def test_it_lists_what_is_missing_and_runs_nothing(ran, run, lstm, capsys):
    for seed in (0, 3):
        record(lstm, seed, 0.88)
    other = made_up("lstm", 1, 0.88)
    add_record(lstm, other._replace(result=other.result | {"dataset": "synthetic"}))
    assert run("--list") == 0
    (line,) = (line for line in capsys.readouterr().out.splitlines() if " lstm " in line)
    assert cells(line) == ["lstm", "0, 3", "1, 2, 4", ""]
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
    assert reproduce.differences(first, second) == ["2 test examples are answered otherwise"]
    assert reproduce.differences(first, run) == []  # an older record has none


def test_records_of_other_settings_than_the_preset_has_are_refused(ran, run, lstm):
    other = made_up("lstm", 1, 0.88)
    settings = to_flat(PRESETS["lstm"]) | {"dataset": "imdb", "seed": 1, "hidden_size": 31}
    add_record(lstm, other._replace(config=settings))
    with pytest.raises(reproduce.UserError, match=r"lstm.jsonl has seed 1 .*\(hidden_size: 31 against 32\)"):
        run("--row", "lstm")
    assert ran == []


def test_a_language_model_is_run_once_on_its_own_text(ran, run, tmp_path):
    assert run("--row", "tiny_shakespeare", "wikitext2") == 0
    assert ran == [
        f"python -m experiments.language_model --preset {name} --seed 0 {further}--dataset {name} "
        f"--workdir {tmp_path}/runs/cpu/{name}/seed-0"
        for name, further in (("tiny_shakespeare", ""), ("wikitext2", "--num-devices 1 "))
    ]
    recorded = [(run.preset, run.task, run.correct) for run in load_runs(tmp_path / "raw")]
    assert recorded == [("tiny_shakespeare", "language_model", None), ("wikitext2", "language_model", None)]
    assert run("--row", "tiny_shakespeare", "wikitext2") == 0
    assert len(ran) == 2


def test_records_of_other_settings_than_a_language_model_has_are_refused(ran, run, tmp_path):
    other = language_model("wikitext2")
    add_record(tmp_path / "raw/cpu/wikitext2.jsonl", other._replace(config=other.config | {"tied": False}))
    with pytest.raises(
        reproduce.UserError, match=r"wikitext2.jsonl has seed 0 .*\(tied: False against True\)"
    ):
        run("--row", "wikitext2")
    assert ran == []


def test_what_a_row_needs_is_run_first(ran, run, reviews, tmp_path, capsys):
    assert run("--row", "semi_supervised") == 0
    assert [re.search(r"--preset (\S+)", line)[1] for line in ran] == ["reviews", *["semi_supervised"] * 3]
    assert f"--workdir {reviews}" in ran[0]
    assert ran[1:] == [
        f"python -m experiments.imdb_sentiment --preset semi_supervised --refit --seed {seed} "
        f"--init-from {reviews} --dataset imdb --workdir {tmp_path}/runs/cpu/semi_supervised/seed-{seed}"
        for seed in (0, 1, 2)
    ]
    printed = capsys.readouterr().out
    assert printed.count("semi_supervised needs the weights of reviews") == 1
    assert "though it is recorded" not in printed
    recorded = [(run.preset, run.result["seed"]) for run in load_runs(tmp_path / "raw")]
    assert recorded == [("reviews", 0), *(("semi_supervised", seed) for seed in (0, 1, 2))]


def test_what_is_needed_is_run_for_its_weights_even_where_it_is_recorded(ran, run, tmp_path, capsys):
    file = tmp_path / "raw/cpu/reviews.jsonl"
    add_record(file, language_model("reviews"))
    change(file, 0, commit="another")
    before = file.read_bytes()
    assert run("--row", "semi_supervised") == 0
    assert "--preset reviews" in ran[0]
    assert "running that first, though it is recorded" in capsys.readouterr().out
    assert file.read_bytes() == before


def test_weights_that_are_there_are_not_made_again(ran, run, reviews, capsys):
    assert run("--row", "reviews") == 0
    assert run("--row", "semi_supervised") == 0
    assert len(ran) == 1 + 3
    assert "needs the weights" not in capsys.readouterr().out


def test_nothing_is_needed_for_what_is_recorded(ran, run, tmp_path, monkeypatch):
    monkeypatch.setattr(reproduce, "check_presets", lambda runs: None)  # made-up settings
    for seed in (0, 1, 2):
        record(tmp_path / "raw/cpu/semi_supervised.jsonl", seed, 0.9)
    assert run("--row", "semi_supervised") == 0
    assert ran == []


def test_a_finished_run_without_checkpoints_is_named(ran, run, reviews, tmp_path):
    write_run(reviews, language_model("reviews"))
    with pytest.raises(
        reproduce.UserError, match=r"reviews/seed-0 has a result but no checkpoints: bring them"
    ):
        run("--row", "semi_supervised")
    assert ran == []
    assert not (tmp_path / "raw").exists()


def test_weights_of_other_settings_than_the_preset_has_are_refused(ran, run, reviews):
    other = language_model("reviews")
    write_run(reviews, other._replace(config=other.config | {"epochs": 1}))
    (reviews / "checkpoints/20").mkdir(parents=True)
    with pytest.raises(
        reproduce.UserError, match=r"seed-0 holds a run with other settings \(epochs: 1 against"
    ):
        run("--row", "semi_supervised")
    assert ran == []


def test_where_a_needed_run_fails_the_others_wait(ran, run, tmp_path, monkeypatch):
    commands = []
    monkeypatch.setattr(recorded_runs, "run_all", lambda lines: commands.extend(lines) or 143)
    assert run("--row", "semi_supervised") == 143
    assert len(commands) == 1
    assert not (tmp_path / "raw").exists()


def test_a_row_is_listed_with_what_it_needs(ran, run, tmp_path, capsys):
    def listed():
        assert run("--row", "semi_supervised", "--list") == 0
        (line,) = (line for line in capsys.readouterr().out.splitlines() if " semi_supervised " in line)
        return cells(line)

    assert listed() == ["semi_supervised", "", "0, 1, 2", "reviews, to be run first"]
    run("--row", "reviews")
    capsys.readouterr()
    assert listed() == ["semi_supervised", "", "0, 1, 2", "reviews"]
    assert len(ran) == 1


def test_a_dry_run_prints_what_is_needed_once_and_first(ran, run, reviews, capsys):
    assert run("--row", "semi_supervised", "reviews", "--dry-run") == 0
    lines = capsys.readouterr().out.splitlines()
    assert [re.search(r"--preset (\S+)", line)[1] for line in lines] == ["reviews", *["semi_supervised"] * 3]
    assert ran == []
    run("--row", "reviews")
    capsys.readouterr()
    assert run("--row", "semi_supervised", "--dry-run") == 0
    assert len(capsys.readouterr().out.splitlines()) == 3


def test_there_are_no_synthetic_texts(ran, run, capsys):
    assert run("--row", "gru", "reviews", "semi_supervised", "--dataset", "synthetic", "--dry-run") == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 5
    assert all("--preset gru" in line and "--dataset synthetic" in line for line in lines)
    with pytest.raises(reproduce.UserError, match="wikitext2: there are no synthetic texts"):
        run("--row", "wikitext2", "--dataset", "synthetic")


def test_the_same_digits_of_a_language_model_again(ran, run, tmp_path, capsys):
    file = tmp_path / "raw/cpu/tiny_shakespeare.jsonl"
    add_record(file, language_model("tiny_shakespeare"))
    assert run("--row", "tiny_shakespeare", "--check") == 0
    assert capsys.readouterr().out == "tiny_shakespeare, seed 0: the same digits, test perplexity 4.95\n"
    assert ran[0].endswith(" --num-devices 2")  # as recorded
    change(file, 0, test_loss=1.7)
    file.write_text(file.read_text().replace('"validation_loss": 1.51', '"validation_loss": 1.52'))
    assert run("--row", "tiny_shakespeare", "--check") == 1
    assert "test_loss 1.7 against 1.6; the log differs from epoch 3 on" in capsys.readouterr().out


def test_a_check_runs_what_is_needed_and_records_nothing(ran, run, reviews, tmp_path, capsys):
    record(tmp_path / "raw/cpu/semi_supervised.jsonl", 1, 0.88)
    before = files(tmp_path / "raw")
    assert run("--row", "semi_supervised", "--check") == 0
    assert [re.search(r"--preset (\S+)", line)[1] for line in ran] == ["reviews", "semi_supervised"]
    assert f"--seed 1 --init-from {reviews}" in ran[1]
    assert "semi_supervised, seed 1: the same digits, test accuracy 88.00%" in capsys.readouterr().out
    assert files(tmp_path / "raw") == before


@pytest.mark.parametrize("platform", ["cpu", "gpu"])
def test_the_committed_records_are_of_these_rows_and_presets(platform, monkeypatch):
    monkeypatch.setattr(reproduce.jax, "default_backend", lambda: platform)
    runs = reproduce.runs_of(reproduce.Options(raw=str(RESULTS)))
    reproduce.check_presets(runs)
    recorded = [record for file in RESULTS.glob(f"{platform}/*") for record in read_records(file)]
    assert {record.key for record in recorded} <= {(each.name, each.dataset, each.seed) for each in runs}
    assert recorded
    classifiers = [record for record in recorded if record.task == "text_classification"]
    assert all(record.correct.size == 25_000 for record in classifiers)


def test_what_takes_days_on_a_cpu_is_run_there_when_it_is_asked_for_alone(monkeypatch):
    def rows(platform, **options):
        monkeypatch.setattr(reproduce.jax, "default_backend", lambda: platform)
        return {run.name for run in reproduce.runs_of(reproduce.Options(**options))}

    assert rows("gpu") - rows("cpu") == set(reproduce.ON_GPUS)
    assert rows("cpu", list=True) == rows("gpu") == set(reproduce.ROWS)
    assert rows("cpu", row=("reviews_large",)) == {"reviews_large"}
