import json

import numpy as np
import pytest

from rnn_jax.errors import UserError
from rnn_jax.reporting.records import add_record
from rnn_jax.reporting.runs import group_rows, load_runs
from tests.reporting.recorded import ACCURACIES, change, made_up, record


@pytest.fixture
def lstm(raw):
    return raw / "cpu/lstm.jsonl"


def test_rows_are_the_runs_of_a_preset_on_a_platform(raw):
    rows = group_rows(load_runs(raw))
    assert [(row.platform, row.preset) for row in rows] == [
        ("cpu", "elman"),
        ("cpu", "lstm"),
        ("gpu", "lstm"),
    ]
    for row in rows:
        assert tuple(row.values("test_accuracy")) == ACCURACIES[row.platform, row.preset]
        assert [len(run.epochs) for run in row.runs] == [2] * len(row.runs)


def test_the_introduction_stands_first_however_well_it_does(raw):
    record(raw / "cpu/introduction.jsonl", 0, 0.99)
    assert [row.preset for row in group_rows(load_runs(raw))] == ["introduction", "elman", "lstm", "lstm"]


def test_seeds_come_in_the_order_of_numbers(raw, lstm):
    record(lstm, 10, 0.88)
    record(lstm, 3, 0.88)
    row = group_rows(load_runs(raw))[1]
    assert row.values("seed") == [0, 1, 2, 3, 10]


def test_datasets_make_rows_of_their_own(raw, lstm):
    record(lstm, 7, 0.99)
    change(lstm, 7, "config", dataset="synthetic")
    change(lstm, 7, dataset="synthetic")
    rows = group_rows(load_runs(raw))
    assert [row.name for row in rows if row.platform == "cpu"] == [
        "elman",
        "lstm",
        "lstm (synthetic reviews)",
    ]
    assert rows[2].values("seed") == [7]


def test_runs_of_other_settings_do_not_make_a_row(raw, lstm):
    change(lstm, 1, "config", hidden_size=64)
    with pytest.raises(UserError, match="cpu/lstm differ in hidden_size"):
        group_rows(load_runs(raw))


def test_a_setting_younger_than_a_record_is_at_its_default_there(raw, lstm):
    change(lstm, 1, "config", optimizer="adam")
    group_rows(load_runs(raw))
    change(lstm, 1, "config", optimizer="rmsprop")
    with pytest.raises(UserError, match="cpu/lstm differ in optimizer"):
        group_rows(load_runs(raw))


def test_a_seed_does_not_count_twice(raw, lstm):
    copied = lstm.read_text().splitlines()[1]
    (raw / "cpu/copy.jsonl").write_text(copied)
    with pytest.raises(UserError, match="cpu/lstm have seeds 0, 1, 1, 2"):
        group_rows(load_runs(raw))


@pytest.mark.parametrize("part", ["config", "metrics", "result"])
@pytest.mark.parametrize("value", [None, 3, {}])
def test_a_damaged_record_is_named(raw, lstm, part, value):
    lines = lstm.read_text().splitlines()
    lines[1] = json.dumps(json.loads(lines[1]) | {part: value})
    lstm.write_text("\n".join(lines))
    with pytest.raises(UserError, match=r"lstm.jsonl, line 2 cannot be read .*: delete that line"):
        load_runs(raw)


@pytest.mark.parametrize("field", ["best_epoch", "test_accuracy", "hardware"])
def test_a_missing_field_is_named(raw, lstm, field):
    lines = lstm.read_text().splitlines()
    line = json.loads(lines[1])
    del line["result"][field]
    lines[1] = json.dumps(line)
    lstm.write_text("\n".join(lines))
    with pytest.raises(UserError, match=rf"lstm.jsonl, line 2 cannot be read .*lacks {field}"):
        load_runs(raw)


def test_the_best_epoch_must_be_recorded(raw, lstm):
    change(lstm, 1, best_epoch=3)
    with pytest.raises(UserError, match=r"line 2 cannot be read .*the log ends before epoch 3, the best"):
        load_runs(raw)


def test_a_trial_is_no_result(raw, lstm):
    change(lstm, 1, test_accuracy=None)
    with pytest.raises(UserError, match=r"lstm.jsonl, line 2 cannot be read .*a trial"):
        load_runs(raw)


def test_answers_that_contradict_the_result_are_refused(raw, lstm):
    add_record(lstm, made_up("lstm", 1, 0.89)._replace(correct=np.arange(1000) < 880))
    with pytest.raises(UserError, match=r"line 2 cannot be read .*88.0000% are right, and not 89.0000%"):
        load_runs(raw)
