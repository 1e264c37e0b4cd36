import json
import sys

import pytest

from experiments import benchmark_data_parallel
from rnn_jax.errors import UserError
from rnn_jax.reporting.scaling import load_scaling, scaling_table
from tests.conftest import need_devices

pytestmark = pytest.mark.slow

SMALL = "--vocabulary-size 50 --max-length 6 --embedding-size 3 --hidden-size 4 --batch-size 8 --seconds 0.01"


def test_the_script_leaves_records_a_table_and_a_plot(tmp_path, monkeypatch, capsys):
    need_devices(2)
    arguments = ["--output", str(tmp_path), "--num-devices", "2", *SMALL.split()]
    monkeypatch.setattr(sys, "argv", ["benchmark_data_parallel", *arguments])
    assert benchmark_data_parallel.main() == 0
    printed = capsys.readouterr().out
    assert printed == (tmp_path / "data_parallel.md").read_text()
    rows = [json.loads(line) for line in (tmp_path / "data_parallel.jsonl").read_text().splitlines()]
    assert [row["devices"] for row in rows] == [1, 2, 1, 2]
    assert rows[0]["config"]["hidden_size"] == 4
    (plot,) = tmp_path.glob("data_parallel_*.png")
    assert plot.stat().st_size > 1000


def test_the_table_compares_with_one_device():
    row = {"fixed": "global", "devices": 1, "batch": 8, "seconds": 0.1, "reviews_per_second": 80.0}
    rows = [row, row | {"devices": 2, "seconds": 0.0625, "reviews_per_second": 128.0}]
    assert scaling_table(rows).splitlines()[2:] == [
        "| whole batch | 1 | 8 | 100.0 | 80 | 1.00 |",
        "| whole batch | 2 | 8 | 62.5 | 128 | 1.60 |",
    ]


def test_a_damaged_record_is_named(tmp_path):
    file = tmp_path / "data_parallel.jsonl"
    file.write_text('{"fixed": "global"}\n')
    with pytest.raises(UserError, match=r"data_parallel\.jsonl, line 1 cannot be read"):
        load_scaling(file)
