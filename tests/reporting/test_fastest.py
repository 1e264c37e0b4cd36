"""The table of the fastest unrolls, from records."""

import json

import pytest

from rnn_jax.reporting.fastest import as_file, estimated, fastest_of, measured
from rnn_jax.unroll.auto import Fastest
from tests.reporting.test_ahead import LAYERS


@pytest.mark.parametrize(
    ("costs", "expected"),
    [
        ({"fused": 1.0}, "fused"),
        ({"dynamic": 1.0, "fused": 1.08}, "fused"),
        ({"dynamic": 1.0, "fused": 1.2}, "dynamic"),
        ({"dynamic": 1.0, "checkpointed": 2.0}, "dynamic"),  # the usual one did not run
    ],
)
def test_what_gains_little_is_not_chosen(costs, expected):
    assert fastest_of(costs, "fused", "measured") == expected


def test_an_estimate_has_less_noise():
    costs = {"dynamic": 1.0, "fused": 1.08}
    assert fastest_of(costs, "fused", "estimated") == "dynamic"


def row(method, seconds, **case):
    own = {
        "cell": "gru",
        "mode": "training",
        "time": 5,
        "batch": 2,
        "hidden": 8,
        "precision": "float32",
    } | case
    return {"case": own, "method": method, "status": "ok", "keep_memory": True, "seconds": seconds}


def test_training_in_float32_counts():
    rows = [row("dynamic", 1.0), row("fused", 0.5), row("flax", 0.1), row("dynamic-16", 0.1)]
    rows += [row("dynamic", 1.0, mode="forward"), row("dynamic", 1.0, precision="bfloat16")]
    rows += [row("dynamic", 1.0, hidden=9) | {"keep_memory": False}]
    rows += [row("dynamic", 1.0, hidden=7), row("fused", 0.1, hidden=7) | {"status": "out of memory"}]
    rows += [row("dynamic", 1.0, hidden=6)]  # says nothing of the usual one
    assert measured(rows, "cpu") == [
        Fastest("cpu", "gru", 7, 2, 5, "dynamic", "measured"),
        Fastest("cpu", "gru", 8, 2, 5, "fused", "measured"),
    ]
    assert not measured(rows, "cuda")


def test_what_was_measured_takes_the_place_of_an_estimate():
    lines = estimated(LAYERS, "tpu")
    assert lines[0] == Fastest("tpu", "gru", 8, 2, 5, "hoisted", "estimated")
    better = lines[0]._replace(unroll="dynamic", known="measured")
    for order in ([better, *lines], [*lines, better]):
        written = [Fastest(*line) for line in json.loads(as_file(order))]
        assert written == [better, *lines[1:]]
