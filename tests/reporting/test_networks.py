import json

import pytest

from rnn_jax.errors import UserError
from rnn_jax.reporting import network_plots
from rnn_jax.reporting.networks import costs_table, load_costs, load_orders, orders_table

COSTS = [
    {"network": n, "length": t, "batch": 8, "step_seconds": t / 1e4, "temporary_bytes": t * size}
    for t in (100, 200)
    for n, size in (("gru", 20_000), ("text_cnn", 30_000))
]
ORDERS = [
    {
        "network": n,
        "seed": seed,
        "block": block,
        "accuracy": best + seed / 100 - (0.2 / block if block else 0),
    }
    for n, best in (("gru", 0.9), ("text_cnn", 0.88))
    for seed in (0, 1)
    for block in (0, 1, 10)
]


def test_the_table_of_costs():
    assert costs_table(COSTS).splitlines() == [
        "| network | T = 100 | T = 200 |",
        "| --- | --- | --- |",
        "| gru | 10 ms, 2 MB | 20 ms, 4 MB |",
        "| text_cnn | 10 ms, 3 MB | 20 ms, 6 MB |",
    ]


def test_the_table_of_orders():
    assert orders_table(ORDERS).splitlines() == [
        "| network | as written | blocks of 1 | blocks of 10 |",
        "| --- | --- | --- | --- |",
        "| gru | 90.50 ± 0.71 | 70.50 | 88.50 |",
        "| text_cnn | 88.50 ± 0.71 | 68.50 | 86.50 |",
    ]


def test_the_plot_has_a_line_a_network_in_every_panel():
    time, memory, order = network_plots.comparison(COSTS, ORDERS).axes
    assert [line.get_ydata().tolist() for line in time.lines] == [[10, 20], [10, 20]]
    assert [line.get_ydata().tolist() for line in memory.lines] == [[2, 4], [3, 6]]
    gru, as_written, *_ = order.lines
    assert gru.get_xdata().tolist() == [1, 10]
    assert gru.get_ydata() == pytest.approx([70.5, 88.5])
    assert as_written.get_ydata() == pytest.approx([90.5, 90.5])


def test_other_rows_are_another_picture():
    (one,), (other,) = (
        network_plots.pictures(COSTS, orders, "cpu").values() for orders in (ORDERS, ORDERS[1:])
    )
    assert one.fingerprint != other.fingerprint


@pytest.mark.parametrize(("load", "row"), [(load_costs, COSTS[0]), (load_orders, ORDERS[0])])
def test_records_are_read_and_damaged_ones_named(load, row, tmp_path):
    file = tmp_path / "rows.jsonl"
    file.write_text(json.dumps(row) + "\n")
    assert load(file) == [row]
    file.write_text('{"network": "gru"}\n')
    with pytest.raises(UserError, match=r"rows\.jsonl, line 1 cannot be read"):
        load(file)
