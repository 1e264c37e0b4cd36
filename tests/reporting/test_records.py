"""Files of records: a line a run, which others leave as it is."""

import json
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from rnn_jax.errors import UserError
from rnn_jax.reporting.records import add_record, read_records, record_of
from rnn_jax.training.run_directory import RunDirectory
from tests.reporting.recorded import made_up, made_up_language_model, write_run

ROOT = Path(__file__).parents[2]


@pytest.fixture
def file(tmp_path):
    return tmp_path / "raw/cpu/lstm.jsonl"


@pytest.mark.parametrize("count", [1, 7, 8, 9, 25_000])
def test_what_is_added_is_read_back(file, count, rng):
    correct = rng.random(count) < 0.9
    added = made_up("lstm", 0, 1 / 3)._replace(correct=correct)
    added.result["test_examples"] = count
    add_record(file, added)
    (found,) = read_records(file)
    assert found[:-1] == added[:-1]  # every digit
    assert found.correct.dtype == bool
    assert np.array_equal(found.correct, correct)
    assert [path.name for path in file.parent.iterdir()] == ["lstm.jsonl"]


def test_a_run_without_answers_has_none(file):
    add_record(file, made_up("lstm", 0, 0.5))
    assert read_records(file)[0].correct is None


def test_there_are_no_records_where_there_is_no_file(file):
    assert read_records(file) == []


def test_lines_come_by_name_and_by_the_number_of_the_seed(file):
    for name, seed in (("draw-01", 10), ("draw-01", 9), ("draw-00", 11)):
        add_record(file, made_up(name, seed, 0.5))
    assert [record.key for record in read_records(file)] == [
        ("draw-00", "imdb", 11),
        ("draw-01", "imdb", 9),
        ("draw-01", "imdb", 10),
    ]


def test_a_run_takes_the_line_of_its_own_seed_and_leaves_the_others(file):
    for seed in (0, 1, 2):
        add_record(file, made_up("lstm", seed, 0.5))
    before = file.read_text().splitlines()
    before[0] = json.dumps(json.loads(before[0]) | {"a note of mine": 1.50})
    file.write_text("\n".join(before))  # without a last line feed, as some editors leave it
    add_record(file, made_up("lstm", 1, 0.7))
    after = file.read_text().splitlines()
    assert (after[0], after[2]) == (before[0], before[2])
    assert [record.result["test_accuracy"] for record in read_records(file)] == [0.5, 0.7, 0.5]


def test_another_dataset_has_lines_of_its_own(file):
    add_record(file, made_up("lstm", 0, 0.5))
    other = made_up("lstm", 0, 0.7)
    add_record(file, other._replace(result=other.result | {"dataset": "synthetic"}))
    assert [record.key for record in read_records(file)] == [("lstm", "imdb", 0), ("lstm", "synthetic", 0)]


def test_those_that_write_one_file_at_once_lose_nothing(file):
    """Threads here; locks are of open files, and tell them apart as they do processes."""
    with ThreadPoolExecutor(3) as pool:
        for added in [pool.submit(add_record, file, made_up("lstm", seed, 0.5)) for seed in range(30)]:
            added.result()
    assert [record.result["seed"] for record in read_records(file)] == list(range(30))


@pytest.mark.parametrize(
    "line",
    [
        b'{"name": ',
        b"3",
        b"{}",
        b"\xff",
        b'{"name": "lstm", "result": {"seed": 1}, "config": {}, "metrics": [], "test_correct": null}',
        b'{"name": "lstm", "result": {"dataset": "imdb", "seed": 1, "test_examples": 9}, "config": {}, '
        b'"metrics": [], "test_correct": "/w=="}',
    ],
)
def test_a_damaged_line_is_numbered_and_left(file, line):
    add_record(file, made_up("lstm", 0, 0.5))
    damaged = file.read_bytes() + line
    file.write_bytes(damaged)
    with pytest.raises(UserError, match=r"lstm.jsonl, line 2 cannot be read .*: delete that line"):
        read_records(file)
    with pytest.raises(UserError, match=r"lstm.jsonl, line 2 cannot be read .*: delete that line"):
        add_record(file, made_up("lstm", 1, 0.5))
    assert file.read_bytes() == damaged


def test_a_file_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "raw").write_text("mine")
    with pytest.raises(UserError, match=r"raw/lstm.jsonl cannot be written: File exists"):
        add_record(tmp_path / "raw/lstm.jsonl", made_up("lstm", 0, 0.5))


def test_the_record_of_a_directory(tmp_path):
    run = made_up("lstm", 0, 0.75)
    write_run(tmp_path / "run", run)
    assert record_of("lstm", RunDirectory(tmp_path / "run")) == run
    (tmp_path / "run/test_correct.txt").write_text("0111\n")
    assert record_of("lstm", RunDirectory(tmp_path / "run")).correct.tolist() == [False, True, True, True]
    (tmp_path / "run/test_correct.txt").write_text("01x\n")
    with pytest.raises(UserError, match=r"test_correct.txt is damaged"):
        record_of("lstm", RunDirectory(tmp_path / "run"))


def test_a_result_without_a_task_is_of_the_first(file):
    older = made_up("lstm", 0, 0.5)
    newer = made_up_language_model("words", 1, 4.5)
    for record in (older, newer):
        add_record(file, record)
    assert [record.task for record in read_records(file)] == ["text_classification", "language_model"]


def test_a_run_that_has_not_finished_has_no_record(tmp_path):
    write_run(tmp_path / "run", made_up("lstm", 0, 0.5))
    (tmp_path / "run/result.json").unlink()
    with pytest.raises(UserError, match="run has not finished: run its command again"):
        record_of("lstm", RunDirectory(tmp_path / "run"))


def test_recorded_files_have_plain_names():
    folders = ("raw", "search", "ablation", "benchmark", "memory", "networks", "tables", "plots")
    folders += ("language_models", "pretraining")
    names = [str(p.relative_to(ROOT)) for folder in folders for p in (ROOT / "results" / folder).rglob("*")]
    assert len(names) > 50
    assert [name for name in names if not re.fullmatch("[a-z0-9_/.]+", name)] == []
