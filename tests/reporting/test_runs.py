import json

import pytest

from rnn_jax.errors import UserError
from rnn_jax.reporting.runs import group_rows, load_runs
from tests.reporting.recorded import ACCURACIES, change, record


def test_rows_are_the_finished_runs_of_a_preset_on_a_platform(raw):
    rows = group_rows(load_runs(raw))
    assert [(row.platform, row.preset) for row in rows] == [
        ("cpu", "elman"),
        ("cpu", "lstm"),
        ("gpu", "lstm"),
    ]
    for row in rows:
        assert tuple(row.values("test_accuracy")) == ACCURACIES[row.platform, row.preset]
        assert [len(run.epochs) for run in row.runs] == [2] * len(row.runs)


def test_seeds_come_in_the_order_of_numbers(raw):
    record(raw / "cpu" / "lstm" / "seed-10", "lstm", 10, 0.88)
    record(raw / "cpu" / "lstm" / "seed-3", "lstm", 3, 0.88)
    row = group_rows(load_runs(raw))[1]
    assert row.values("seed") == [0, 1, 2, 3, 10]


def test_data_sets_make_rows_of_their_own(raw):
    folder = raw / "cpu" / "lstm" / "seed-7"
    record(folder, "lstm", 7, 0.99)
    change(folder / "config.json", dataset="synthetic")
    change(folder / "result.json", dataset="synthetic")
    rows = group_rows(load_runs(raw))
    assert [row.name for row in rows if row.platform == "cpu"] == [
        "elman",
        "lstm",
        "lstm (synthetic reviews)",
    ]
    assert rows[2].values("seed") == [7]


def test_runs_of_other_settings_do_not_make_a_row(raw):
    change(raw / "cpu/lstm/seed-1/config.json", hidden_size=64)
    with pytest.raises(UserError, match="cpu/lstm differ in hidden_size"):
        group_rows(load_runs(raw))


def test_a_seed_does_not_count_twice(raw):
    record(raw / "cpu" / "lstm" / "copy-of-seed-1", "lstm", 1, 0.89)
    with pytest.raises(UserError, match="cpu/lstm have seeds 0, 1, 1, 2"):
        group_rows(load_runs(raw))


@pytest.mark.parametrize("name", ["config.json", "metrics.jsonl", "result.json"])
@pytest.mark.parametrize("text", ['{"a": ', "3", "{}"])
def test_a_damaged_record_is_named(raw, name, text):
    (raw / "cpu/lstm/seed-1" / name).write_text(text)
    with pytest.raises(UserError, match=rf"seed-1/{name}.* cannot be read .*restore it, or delete"):
        load_runs(raw)


@pytest.mark.parametrize("name", ["config.json", "metrics.jsonl"])
def test_a_missing_record_is_named(raw, name):
    (raw / "cpu/lstm/seed-1" / name).unlink()
    with pytest.raises(UserError, match=rf"seed-1/{name} cannot be read"):
        load_runs(raw)


def test_a_broken_line_is_numbered(raw):
    file = raw / "cpu/lstm/seed-1/metrics.jsonl"
    file.write_text(file.read_text() + '{"kind": "tr')
    with pytest.raises(UserError, match=r"seed-1/metrics.jsonl, line 4 cannot be read"):
        load_runs(raw)


@pytest.mark.parametrize("field", ["best_epoch", "test_accuracy", "hardware"])
def test_a_missing_field_is_named(raw, field):
    file = raw / "cpu/lstm/seed-1/result.json"
    result = json.loads(file.read_text())
    del result[field]
    file.write_text(json.dumps(result))
    with pytest.raises(UserError, match=rf"seed-1/result.json cannot be read \(it lacks {field}\)"):
        load_runs(raw)


def test_the_best_epoch_must_be_recorded(raw):
    file = raw / "cpu/lstm/seed-1/metrics.jsonl"
    file.write_text("".join(file.read_text().splitlines(keepends=True)[:2]))
    with pytest.raises(UserError, match=r"metrics.jsonl cannot be read \(it ends before epoch 2, the best\)"):
        load_runs(raw)


def test_a_trial_is_no_result(raw):
    change(raw / "cpu" / "lstm" / "seed-1" / "result.json", test_accuracy=None)
    with pytest.raises(UserError, match=r"seed-1 is a trial"):
        load_runs(raw)
