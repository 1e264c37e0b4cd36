"""Rows that fail are recorded, and the others go on."""

import pytest

from rnn_jax.measuring.case import Case
from rnn_jax.measuring.supervisor import measure

pytestmark = pytest.mark.slow

SMALL = Case("elman", "training", 4, 2, 3, "float32")


def rows(case, methods, limit=60.0):
    found = measure(case, methods, num_devices=1, seconds=0.01, keep_memory=True, limit=limit)
    return {row["method"]: row for row in found}


def test_a_row_holds_what_was_measured():
    found = rows(SMALL, ["dynamic", "fused"])
    assert {row["status"] for row in found.values()} == {"ok"}
    for row in found.values():
        assert 0 < row["lower_quartile"] <= row["seconds"] <= row["upper_quartile"]
        assert row["gflops"] == pytest.approx(SMALL.operations / row["seconds"] / 1e9)
        assert row["compile_seconds"] > 0
        assert row["temporary_bytes"] > 0
        assert row["runs"] >= 5
        assert 0 < row["share_of_product"] < 1


def test_a_method_that_fails_does_not_take_the_others_with_it():
    found = rows(SMALL, ["dynamic", "nonsense", "fused"])
    assert found["nonsense"]["status"] == "failed: KeyError: 'nonsense'"
    assert found["dynamic"]["status"] == found["fused"]["status"] == "ok"


def test_a_method_that_takes_too_long_is_given_up():
    found = rows(SMALL._replace(time=3000), ["dynamic", "static"], limit=8.0)
    assert found["static"]["status"] == "over time"
    assert found["dynamic"]["status"] == "ok"


def test_what_does_not_fit_into_memory_is_said():
    found = rows(SMALL._replace(batch=10**9, time=10**4), ["dynamic"])
    assert found["dynamic"]["status"] == "out of memory"
