import statistics

import numpy as np
import pytest

from rnn_jax.reporting.records import add_record
from rnn_jax.reporting.runs import group_rows, load_runs
from rnn_jax.reporting.significance import paired_p_value
from rnn_jax.reporting.tables import commands, pairs_table, results_table
from tests.reporting.recorded import ACCURACIES, change, made_up


@pytest.fixture
def rows(raw):
    return group_rows(load_runs(raw))


def test_a_row_is_the_mean_and_the_deviation_over_its_seeds(rows):
    lines = results_table(rows).splitlines()
    assert len(lines) == 2 + 3
    cells = [cell.strip() for cell in lines[3].split("|")[1:-1]]
    percent = [100 * accuracy for accuracy in ACCURACIES["cpu", "lstm"]]
    assert cells == [
        "lstm",
        "10,000 words, last 500",
        "32",
        "328,353",
        f"{statistics.mean(percent) + 1:.2f}",
        f"{statistics.mean(percent):.2f} ± {statistics.stdev(percent):.2f}",
        "87.26 to 89.74",  # 88.5 ± 4.303 · 0.5 / √3
        "–",  # the reviews answered right are not recorded
        "3",
        "2",
        "2, 2, 2",
        "61",
        "3,000",
        "2 × A",
    ]
    assert "| 88.50 ± 0.50 |" in lines[3]  # by hand: 88, 89 and 88.5
    assert "| 90.00 |" in lines[4]  # one seed has no deviation


@pytest.mark.parametrize(
    ("settings", "shown"),
    [
        ({"log_count_ratios": 5, "max_length": 1000}, "10,000 words, n-gram ratios, last 1,000"),
        ({"truncate": "tail", "log_count_ratios": 0}, "10,000 words, first 500"),
        ({"network": "nb_svm"}, "10,000 words, whole reviews"),
        ({"tokens": "bytes", "truncate": "tail", "max_length": 4096}, "bytes, first 4,096"),
    ],
)
def test_a_row_says_what_is_read(raw, settings, shown):
    change(raw / "gpu/lstm.jsonl", 0, "config", **settings)
    assert f"| {shown} |" in results_table(group_rows(load_runs(raw))).splitlines()[4]


def test_neighbours_are_compared_where_their_answers_are_recorded(raw, rng):
    """By the test of `significance`, row against the row above."""
    answers = {}
    for (platform, preset), accuracies in ACCURACIES.items():
        for seed, accuracy in enumerate(accuracies):
            right = rng.permutation(np.arange(1000) < 1000 * accuracy)
            answered = made_up(preset, seed, accuracy)._replace(correct=right)
            add_record(raw / platform / f"{preset}.jsonl", answered)
            answers.setdefault((platform, preset), []).append(right)
    rows = group_rows(load_runs(raw))
    lines = results_table(rows).splitlines()[2:]
    p = paired_p_value(np.stack(answers["cpu", "lstm"]), np.stack(answers["cpu", "elman"]))
    shown = [line.split("|")[8].strip() for line in lines]
    assert shown == ["–", f"{p:.2g}" if p >= 1e-3 else "< 0.001", "–"]  # the last row is on another platform
    assert pairs_table(rows).splitlines() == [
        "| p | elman | lstm |",
        "| --- | --- | --- |",
        f"| lstm | {shown[1]} |  |",
        "| lstm | – | – |",
    ]


def test_each_row_has_its_command(rows):
    lines = commands(rows).splitlines()
    assert len(lines) == 3
    assert lines[1] == (
        "- lstm on 2 × A: `python -m experiments.imdb_sentiment --seed N --workdir runs/raw/seed-N`, "
        "N = 0, 1, 2; commit 0123456789ab; jax 0.10.2"
    )


@pytest.mark.parametrize(
    ("other", "shown"),
    [
        ({"command": "python -m experiments.imdb_sentiment --num-devices 1 --seed 1"}, "--num-devices 1"),
        ({"commit": "fedcba9876543210"}, "commit fedcba987654"),
        ({"commit": "rnn-jax 0.1.0"}, "; rnn-jax 0.1.0; jax"),
        ({"versions": {"jax": "0.11.0"}}, "jax 0.11.0"),
        ({"hardware": {"device": "B", "num_devices": 64}}, "64 × B"),
    ],
)
def test_seeds_that_were_run_differently_are_told_apart(raw, other, shown):
    change(raw / "cpu/lstm.jsonl", 1, **other)
    lines = commands(group_rows(load_runs(raw))).splitlines()
    (same,) = (line for line in lines if "N = 0, 2;" in line)
    (different,) = (line for line in lines if "lstm" in line and "N = 1;" in line)
    assert shown in different
    assert shown not in same


def test_a_row_names_all_the_hardware_it_was_run_on(raw):
    change(raw / "cpu/lstm.jsonl", 1, hardware={"device": "B", "num_devices": 64})
    assert "| 2 × A / 64 × B |" in results_table(group_rows(load_runs(raw)))
