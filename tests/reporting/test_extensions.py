import json

import pytest

from rnn_jax.errors import UserError
from rnn_jax.reporting.extensions import extensions_table, load_extensions

CASE = {"cell": "lstm", "hidden": 8, "batch": 4, "time": 40}
ROWS = [
    {"case": CASE, "unroll": "fused", "seconds": {"plain": 0.02, "resets": 0.03, "zoneout": 0.021}},
    {"case": CASE | {"cell": "lru"}, "unroll": "parallel", "seconds": {"plain": 0.004, "resets": 0.005}},
]


def test_the_table():
    assert extensions_table(ROWS).splitlines() == [
        "| cell | unroll | H | B | T | plain, ms | resets | zoneout |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
        "| lstm | fused | 8 | 4 | 40 | 20 | 1.50 | 1.05 |",
        "| lru | parallel | 8 | 4 | 40 | 4 | 1.25 | – |",
    ]


def test_records_are_read_and_damaged_ones_named(tmp_path):
    file = tmp_path / "extensions.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    assert load_extensions(file) == ROWS
    file.write_text('{"case": {"cell": "gru"}}\n')
    with pytest.raises(UserError, match=r"extensions\.jsonl, line 1 cannot be read"):
        load_extensions(file)
