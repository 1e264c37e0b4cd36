"""Tables and the plot of programs compiled for accelerators that were not there."""

import json

import pytest

from rnn_jax.ahead.scaling import V5E
from rnn_jax.errors import UserError
from rnn_jax.reporting import ahead_plots
from rnn_jax.reporting.ahead import (
    input_table,
    layers_table,
    load_ahead,
    load_input,
    model_table,
    runs_table,
)
from rnn_jax.reporting.picture import Picture


def layer(cell, unroll, cycles, status="ok"):
    own = {"what": "layer", "cell": cell, "unroll": unroll, "hidden": 8, "batch": 2, "time": 5}
    found = {"temporary": 3 * 10**6, "cycles": cycles, "launches": cycles // 10} if status == "ok" else {}
    return own | {"platform": "tpu", "topology": "v5e:2x4", "chip": "TPU v5e", "status": status} | found


def a_run(devices, batch, cycles, exchanged):
    return {
        **{"what": "run", "preset": "lstm", "platform": "tpu", "topology": "v5e", "chip": "TPU v5e"},
        **{"devices": devices, "batch_size": batch, "status": "ok", "cycles": cycles, "launches": 7},
        **{"memory": 10**6, "operations": 10**9, "exchanged": {"all-reduce": exchanged} if exchanged else {}},
    }


LAYERS = [
    layer("gru", "dynamic", 1000),
    layer("gru", "fused", 500),
    layer("gru", "hoisted", 250),
    layer("lru", "dynamic", 1000),
    layer("lru", "checkpointed", 2000),
    layer("lru", "parallel", 0, status="needs 9 GiB"),
]


def cells(table):
    return [[cell.strip() for cell in line.strip("|\n").split("|")] for line in table.splitlines()]


def test_unrolls_as_multiples_of_the_plain_scan():
    _, _, gru, lru = cells(layers_table(LAYERS, "tpu"))
    assert gru == ["gru", "8", "2", "5", "1,000", "0.5", "0.25", *[""] * 3, "3", "3", "3", *[""] * 3]
    assert lru == ["lru", "8", "2", "5", "1,000", "", "", "2", "–", "", "3", "", "", "3", "", ""]
    assert cells(layers_table(LAYERS, "cuda"))[2][4:6] == ["100", "0.5"]


def test_runs_and_what_does_not_fit():
    rows = [a_run(8, 64, 10**6, 10**6), a_run(8, 64, 0, 0) | {"status": "needs 20 GiB"}]
    _, _, one, other = cells(runs_table(rows))
    assert one == ["lstm", "8 × TPU v5e", "64", "1", "1 G", "1", "7", "1,000,000"]
    assert other[:4] == ["lstm", "8 × TPU v5e", "64", "needs 20 GiB"]


def test_the_model_of_scaling_takes_work_from_one_device_and_gradients_from_several():
    rows = [a_run(1, 32, 15 * 10**6, 0), a_run(8, 256, 10**9, 10**7)]
    [line] = cells(model_table(rows))[2:]
    work = 15e6 / V5E.clock
    assert line[:4] == ["lstm", "32", f"{1e3 * work:.3g}", "10"]
    exchange = 2 * 7 / 8 * 1e7 / 200e9
    assert line[4] == f"{100 * work / (work + exchange):.1f} %"
    assert line[-1] == f"{8 * 32 / (work + exchange):,.0f}"


def test_how_fast_a_host_makes_batches():
    row = {"reviews_per_second": 12_345.6, "hardware": {"device": "a CPU"}}
    plain = row | {"config": {"max_length": 400, "log_count_ratios": 0, "batch_size": 128}}
    ratios = row | {"config": {"max_length": 1000, "log_count_ratios": 5, "batch_size": 64}}
    lines = [
        [cell.strip() for cell in line.split("|")[1:-1]] for line in input_table([plain, ratios]).splitlines()
    ]
    assert lines[2] == ["400", "none", "128", "12,346", "a CPU"]
    assert lines[3] == ["1000", "5 words", "64", "12,346", "a CPU"]


def test_the_plot_is_drawn(tmp_path):
    [(name, picture)] = ahead_plots.pictures(LAYERS, "tpu").items()
    assert isinstance(picture, Picture)
    picture.save(tmp_path / name)
    assert picture.is_in(tmp_path / name)


@pytest.mark.parametrize("load", [load_ahead, load_input])
def test_a_line_that_lacks_something_is_named(load, tmp_path):
    (tmp_path / "rows.jsonl").write_text(json.dumps({"what": "layer"}) + "\n")
    with pytest.raises(UserError, match="line 1 cannot be read"):
        load(tmp_path / "rows.jsonl")
    assert load(tmp_path / "none.jsonl") == []
