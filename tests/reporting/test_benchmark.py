"""Tables and plots of made-up rows."""

import json

import pytest

from rnn_jax.errors import UserError
from rnn_jax.reporting import benchmark_plots
from rnn_jax.reporting.benchmark import at_once_table, benchmark_table, load_benchmark, split_at_once


def row(method, seconds, status="ok", time=32, hidden=128, batch=32, mode="training", cell="lstm"):
    case = {
        "cell": cell,
        "mode": mode,
        "time": time,
        "batch": batch,
        "hidden": hidden,
        "precision": "float32",
    }
    measured = {
        "seconds": seconds,
        "compile_seconds": None if method == "torch" else 2 * seconds,
        "temporary_bytes": None if method == "torch" else 2**20,
        "gflops": 1 / seconds,
    }
    return {"case": case, "method": method, "status": status, "keep_memory": True} | (
        measured if status == "ok" else {}
    )


ROWS = [
    row("torch", 0.010),
    row("dynamic", 0.020),
    row("dynamic-16", 0.030),
    row("static", 1.0, "over time"),
    row("dynamic", 0.040, time=64),
    row("fused", 0.005, time=64),
]


def test_the_table_names_the_fastest_and_what_failed():
    times = benchmark_table(ROWS).split("###")[1].splitlines()[2:]
    assert [line for line in times if line] == [
        "| cell | mode | precision | memory | H | B | T | dynamic | dynamic-16 | fused | static | torch |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |",
        "| lstm | training | float32 | kept | 128 | 32 | 32 | 20 | 30 |  | over time | **10** |",
        "| lstm | training | float32 | kept | 128 | 32 | 64 | 40 |  | **5** |  |  |",
    ]


def test_rows_are_read_and_damage_is_named(tmp_path):
    file = tmp_path / "benchmark.jsonl"
    assert load_benchmark(file) == []
    file.write_text("".join(json.dumps(r) + "\n" for r in ROWS))
    assert load_benchmark(file) == ROWS
    file.write_text(file.read_text() + '{"case": {}')
    with pytest.raises(UserError, match=r"benchmark.jsonl, line 7 cannot be read"):
        load_benchmark(file)


def test_versions_are_not_joined_by_a_line():
    later = row("dynamic", 0.5, time=128) | {"commit": "another"}
    figure = benchmark_plots.over_length(benchmark_plots.by_size([*ROWS, later]))
    (dynamic,) = (
        line for line in figure.axes[0].lines if line.get_xdata()[0] == 32 and len(line.get_xdata()) > 1
    )
    assert list(dynamic.get_ydata()) == pytest.approx([20, 40])


def test_plots_show_every_method_and_leave_out_what_failed(tmp_path):
    length = benchmark_plots.over_length(benchmark_plots.by_size(ROWS))
    run_time, compile_time, _ = length.axes
    drawn = [list(line.get_ydata()) for line in run_time.lines]
    assert [20, 40] in [pytest.approx(y) for y in drawn]
    assert len(run_time.lines) == 4  # dynamic, dynamic-16, fused, torch
    assert len(compile_time.lines) == 3
    labels = [text.get_text() for text in length.legends[0].get_texts()]
    assert labels == ["dynamic", "dynamic-16", "fused", "static", "torch"]
    (axes,) = benchmark_plots.ratios(benchmark_plots.by_size(ROWS)).axes
    assert sorted(float(line.get_xdata()[0]) for line in axes.lines[:-1]) == pytest.approx(
        [0.125, 0.5, 1, 1, 1.5]
    )
    for name, picture in benchmark_plots.pictures(ROWS, "cpu").items():
        picture.save(tmp_path / name)
        assert picture.is_in(tmp_path / name)


AT_ONCE = [
    row(method, seconds * time, time=time, mode=mode, cell="mingru")
    for mode in ("forward", "training")
    for time in (16, 64)
    for method, seconds in (("dynamic", 0.002), ("parallel", 0.001))
] + [row(method, 0.25, time=64, mode="training", cell="sru") for method in ("dynamic", "newton")]


def test_cells_that_run_all_steps_at_once_have_a_table_of_their_own():
    others, at_once = split_at_once([*AT_ONCE[:4], *ROWS, *AT_ONCE[4:]])
    assert (others, at_once) == (ROWS, AT_ONCE)
    assert "| mingru | training | float32 | kept | 128 | 32 | 64 | 128 |  | **64** |" in at_once_table(
        at_once
    )
    assert "| sru | training | float32 | kept | 128 | 32 | 64 | **250** | **250** |  |" in at_once_table(
        at_once
    )


def test_and_a_plot_of_their_own():
    forward, training = benchmark_plots.parallel(benchmark_plots.by_size(AT_ONCE)).axes
    assert [list(line.get_ydata()) for line in forward.lines[:-1]] == [pytest.approx([0.5, 0.5])]
    drawn = [list(line.get_ydata()) for line in training.lines[:-1]]
    assert drawn == [pytest.approx([0.5, 0.5]), pytest.approx([1])]
    assert benchmark_plots.pictures(ROWS, "cpu").keys() == {
        "unroll_over_length_cpu.png",
        "unroll_over_size_cpu.png",
        "unroll_ratios_cpu.png",
    }
    assert benchmark_plots.pictures(AT_ONCE, "cpu").keys() == {"parallel_cpu.png"}
