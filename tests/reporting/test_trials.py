import pytest

from rnn_jax.errors import UserError
from rnn_jax.reporting.records import Record, add_record
from rnn_jax.reporting.trials import finalists, load_trials, search_table

ACCURACIES = {
    "a": {0: 0.80, 1: 0.90, 2: 0.92},
    "b": {0: 0.95},
    "c": {0: 0.85, 1: 0.93, 2: 0.91},
    "d": {1: 0.99},
}


def record(file, name, seed, accuracy, **others):
    config = {"cell": "lstm", "dropout": 0.5 if name == "a" else 0.3, "seed": seed}
    result = {"dataset": "imdb", "seed": seed, "validation_accuracy": accuracy, "test_examples": 0}
    result |= {"best_epoch": 1, "train_seconds": 3.0, **others}
    add_record(file, Record(name, config, [], result, None))


@pytest.fixture
def file(tmp_path):
    return tmp_path / "search.jsonl"


@pytest.fixture
def trials(file):
    for name, accuracies in ACCURACIES.items():
        for seed, accuracy in accuracies.items():
            record(file, name, seed, accuracy)
    return load_trials(file)


def test_the_best_mean_over_the_seeds_asked_for_comes_first(trials):
    assert finalists(trials, (0,), 2) == ["b", "c"]
    assert finalists(trials, (1, 2), 5) == ["c", "a"]  # 0.92 against 0.91; d lacks a seed
    assert finalists(trials, (7,), 5) == []


def test_what_took_too_long_is_not_chosen(file):
    record(file, "quick", 0, 0.8, train_seconds=50.0, data_seconds=9.0)
    record(file, "slow", 0, 0.9, train_seconds=50.0, data_seconds=11.0)
    trials = load_trials(file)
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


def test_a_figure_may_be_better_when_it_is_lower(file):
    """Errors, losses and perplexities."""
    for name, values in {"a": (0.5, 0.4), "b": (0.3, 0.6)}.items():
        for seed, value in enumerate(values):
            config = {"dropout": 0.5 if name == "a" else 0.3, "seed": seed}
            result = {"dataset": "ett/h1", "seed": seed, "validation_mse": value, "test_examples": 0}
            result |= {"best_epoch": 1, "train_seconds": 3.0}
            add_record(file, Record(name, config, [], result, None))
    trials = load_trials(file)
    assert finalists(trials, (0,), 2) == ["b", "a"]
    assert finalists(trials, (1,), 1) == ["a"]
    assert search_table(trials, ((0,), (1,))).splitlines() == [
        "| settings | dropout | validation mse, seed 0 | validation mse, seed 1 |",
        "| --- | --- | --- | --- |",
        "| a | 0.5 | 0.5000 | 0.4000 |",
        "| b | 0.3 | 0.3000 | 0.6000 |",
    ]


def test_trials_may_lie_in_several_files(tmp_path):
    files = [tmp_path / f"{name}.jsonl" for name in "ab"]
    for file in files:
        record(file, f"network {file.stem}", 0, 0.9)
    assert [trial.name for trial in load_trials(*files)] == ["network a", "network b"]
    assert load_trials(tmp_path / "none.jsonl") == load_trials() == []


def test_a_trial_that_read_the_test_split_is_refused(file):
    record(file, "a", 0, 0.9, test_examples=25)
    with pytest.raises(UserError, match=r"search.jsonl, line 1 cannot be read .*has read the test split"):
        load_trials(file)


def test_a_damaged_trial_is_named(file):
    record(file, "a", 0, 0.9)
    record(file, "b", 0, 0.9)
    file.write_text(file.read_text().replace('"best_epoch"', '"epoch"'))
    with pytest.raises(UserError, match=r"search.jsonl, line 1 cannot be read .*it lacks best_epoch"):
        load_trials(file)
