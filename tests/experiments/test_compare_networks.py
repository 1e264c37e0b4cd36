"""The comparison of networks, on small ones trained here."""

import json
import shlex
import sys

import numpy as np
import pytest

from experiments import compare_networks, imdb_sentiment
from experiments.presets import PRESETS
from rnn_jax.errors import UserError
from rnn_jax.reporting.networks import load_costs, load_orders
from rnn_jax.settings import with_flat
from rnn_jax.training.evaluation import make_evaluator

pytestmark = pytest.mark.slow

SMALL = {
    "dataset": "synthetic",
    "train_examples": 120,
    "epochs": 1,
    "batch_size": 40,
    "hidden_size": 4,
    "embedding_size": 4,
    "max_length": 40,
    "buckets": 1,
}


def call(monkeypatch, script, *arguments):
    monkeypatch.setattr(sys, "argv", [script.__name__.split(".")[-1], *map(str, arguments)])
    return script.main() or 0


@pytest.fixture
def raw(tmp_path, monkeypatch):
    """Runs of two networks, one of which reads log-count ratios."""
    for name, change in (("gru", {"log_count_ratios": 1}), ("text_cnn", {})):
        monkeypatch.setitem(PRESETS, name, with_flat(PRESETS[name], **SMALL, **change))
        workdir = tmp_path / "raw/cpu" / name / "seed-0"
        assert call(monkeypatch, imdb_sentiment, "--preset", name, "--workdir", workdir) == 0
    return tmp_path / "raw"


def test_costs_and_orders_are_recorded(raw, tmp_path, monkeypatch, capsys):
    read = []

    def spied(*arguments):
        evaluate = make_evaluator(*arguments)
        return lambda params, examples: read.append(examples) or evaluate(params, examples)

    monkeypatch.setattr(compare_networks, "make_evaluator", spied)
    small = shlex.split("--networks gru text_cnn --lengths 10 --blocks 1 40 --seconds 0.01")
    assert call(monkeypatch, compare_networks, *small, "--raw", raw, "--output", tmp_path / "out") == 0
    printed = capsys.readouterr().out
    assert "| network | T = 10 |" in printed
    assert "| network | as written | blocks of 1 | blocks of 40 |" in printed
    costs = load_costs(tmp_path / "out/costs.jsonl")
    assert [(row["network"], row["length"]) for row in costs] == [("gru", 10), ("text_cnn", 10)]
    orders = load_orders(tmp_path / "out/orders.jsonl")
    assert [row["block"] for row in orders] == [0, 1, 40] * 2
    for name in ("gru", "text_cnn"):
        whole, _, same = (row["accuracy"] for row in orders if row["network"] == name)
        result = json.loads((raw / "cpu" / name / "seed-0/result.json").read_text())
        assert whole == same == result["validation_accuracy"]
    tokens = [np.concatenate(split.columns["tokens"]) for split in read]
    for written, shuffled, same in (tokens[:3], tokens[3:]):
        assert np.array_equal(written, same)
        assert not np.array_equal(written, shuffled)
        assert np.array_equal(np.sort(written), np.sort(shuffled))


def test_a_network_without_runs_is_named(tmp_path, monkeypatch):
    with pytest.raises(UserError, match=r"no run of lstm: python -m experiments\.reproduce .* --row lstm"):
        call(monkeypatch, compare_networks, "--networks", "lstm", "--raw", tmp_path, "--output", tmp_path)
