import json

import pytest

from rnn_jax.errors import UserError
from rnn_jax.reporting.trials import finalists, load_trials, search_table

ACCURACIES = {
    "a": {0: 0.80, 1: 0.90, 2: 0.92},
    "b": {0: 0.95},
    "c": {0: 0.85, 1: 0.93, 2: 0.91},
    "d": {1: 0.99},
}


def record(folder, name, seed, accuracy, tested=None):
    folder = folder / name / f"seed-{seed}"
    folder.mkdir(parents=True)
    config = {"cell": "lstm", "dropout": 0.5 if name == "a" else 0.3, "seed": seed}
    (folder / "config.json").write_text(json.dumps(config))
    result = {"seed": seed, "validation_accuracy": accuracy, "test_accuracy": tested}
    (folder / "result.json").write_text(json.dumps(result | {"best_epoch": 1, "train_seconds": 3.0}))


@pytest.fixture
def trials(tmp_path):
    for name, accuracies in ACCURACIES.items():
        for seed, accuracy in accuracies.items():
            record(tmp_path, name, seed, accuracy)
    return load_trials(tmp_path)


def test_the_best_mean_over_the_seeds_asked_for_comes_first(trials):
    assert finalists(trials, (0,), 2) == ["b", "c"]
    assert finalists(trials, (1, 2), 5) == ["c", "a"]  # 0.92 against 0.91; d lacks a seed
    assert finalists(trials, (7,), 5) == []


def test_what_took_too_long_is_not_chosen(tmp_path):
    for seed, (name, accuracy) in enumerate((("quick", 0.8), ("slow", 0.9))):
        record(tmp_path, name, 0, accuracy)
        file = tmp_path / name / "seed-0/result.json"
        result = json.loads(file.read_text()) | {"train_seconds": 50.0, "data_seconds": 9.0 + 2 * seed}
        file.write_text(json.dumps(result))
    trials = load_trials(tmp_path)
    assert finalists(trials, (0,), 5) == ["slow", "quick"]
    assert finalists(trials, (0,), 5, seconds=60) == ["quick"]


def test_the_table_shows_what_varied_and_each_round(trials):
    assert search_table(trials, ((0,), (1, 2))).splitlines() == [
        "| settings | dropout | validation %, seed 0 | validation %, seeds 1, 2 |",
        "| --- | --- | --- | --- |",
        "| d | 0.3 |  | 99.00 |",
        "| c | 0.3 | 85.00 | 92.00 ± 1.41 |",
        "| a | 0.5 | 80.00 | 91.00 ± 1.41 |",
        "| b | 0.3 | 95.00 |  |",
    ]


def test_a_trial_that_read_the_test_split_is_refused(tmp_path):
    record(tmp_path, "a", 0, 0.9, tested=0.88)
    with pytest.raises(UserError, match=r"a/seed-0 has read the test split"):
        load_trials(tmp_path)


def test_a_damaged_trial_is_named(tmp_path):
    record(tmp_path, "a", 0, 0.9)
    (tmp_path / "a/seed-0/result.json").write_text("{}")
    with pytest.raises(UserError, match=r"a/seed-0/result.json cannot be read"):
        load_trials(tmp_path)
