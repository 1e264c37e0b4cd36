import json

import pytest

from rnn_jax.errors import UserError
from rnn_jax.reporting.parts import load_parts, parts_table

ROW = {
    "case": {"cell": "gru", "precision": "float32", "hidden": 8, "batch": 4, "time": 40},
    "parts": [
        {"name": "whole", "seconds": 0.01, "gflops": 120.4},
        {"name": "all else", "seconds": 0.0025, "gflops": None},
    ],
}


def test_the_table():
    assert parts_table([ROW]).splitlines() == [
        "| cell | precision | H | B | T | whole | all else |",
        "| --- | --- | --- | --- | --- | --- | --- |",
        "| gru | float32 | 8 | 4 | 40 | 10 ms, 120 GFLOP/s | 2.5 ms |",
    ]


def test_records_are_read_and_damaged_ones_named(tmp_path):
    file = tmp_path / "parts.jsonl"
    file.write_text(json.dumps(ROW) + "\n")
    assert load_parts(file) == [ROW]
    file.write_text('{"case": {"cell": "gru"}}\n')
    with pytest.raises(UserError, match=r"parts\.jsonl, line 1 cannot be read"):
        load_parts(file)
