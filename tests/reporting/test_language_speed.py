"""The tables and the plot of made-up figures of language models."""

import json
import math

import pytest

from rnn_jax.errors import UserError
from rnn_jax.reporting import language_speed_plots
from rnn_jax.reporting.language_speed import (
    curve_table,
    generation_table,
    load_curves,
    load_generation,
    load_speeds,
    speed_table,
)

CONFIG = {
    **{"cell": "lstm", "num_layers": 2, "hidden_size": 512},
    **{"batch_size": 32, "length": 64, "softmax_samples": 0},
}


def speed(library, *figures, **changes):
    return {
        "library": library,
        "vocabulary_size": 10_000,
        "tokens_per_second": list(figures),
        "config": CONFIG | changes,
        "hardware": {"num_devices": 2},
    }


def curve(library, *epochs, dataset="text", **changes):
    epochs = [{"seconds": seconds, "validation_loss": math.log(p)} for seconds, p in epochs]
    return {"library": library, "dataset": dataset, "config": CONFIG | changes, "epochs": epochs}


def test_speeds_are_medians_told_in_those_of_torch_on_the_same_network():
    rows = [
        speed("rnn_jax", 1500, 9000, 1400),
        speed("torch", 1000, 800, 1100),
        speed("rnn_jax", 700.4, hidden_size=64, cell="gru", softmax_samples=2048),
    ]
    assert speed_table(rows).splitlines()[2:] == [
        "| rnn_jax | lstm | 2 | 512 | 10,000 | 32 | 64 | 1,500 | 1,400 to 9,000 | 1.50 | 2 |",
        "| torch | lstm | 2 | 512 | 10,000 | 32 | 64 | 1,000 | 800 to 1,100 | 1.00 | 2 |",
        "| rnn_jax | gru | 2 | 64 | 2,048 of 10,000 | 32 | 64 | 700 | 700 to 700 | – | 2 |",
    ]


def test_an_epoch_after_the_first_tells_how_long_one_takes():
    """The first compiles; the best epoch need not be the last."""
    rows = [curve("rnn_jax", (30.0, 20.0), (40.0, 8.0), (52.0, 9.0)), curve("torch", (25.0, 21.0))]
    assert curve_table(rows).splitlines()[2:] == [
        "| rnn_jax | text | lstm | 2 | 512 | 11.0 | 8.00 | 40.0 | 20.00, 8.00, 9.00 |",
        "| torch | text | lstm | 2 | 512 | 25.0 | 21.00 | 25.0 | 21.00 |",
    ]


def test_a_loss_beyond_all_numbers_is_a_perplexity_still():
    row = curve("torch", (1.0, 2.0))
    row["epochs"][0]["validation_loss"] = 1e4
    assert curve_table([row]).splitlines()[2].endswith(f"| {math.exp(700):.2f} |")


def test_writing_is_told_by_the_token():
    rows = [
        {"length": length, "seconds": seconds, "vocabulary_size": 66, "config": CONFIG}
        for length, seconds in ((100, [0.3, 0.05, 0.06]), (200, [0.1]))
    ]
    assert generation_table(rows).splitlines()[2:] == [
        "| lstm | 2 | 512 | 66 | 100 | 0.060 | 0.600 |",
        "| lstm | 2 | 512 | 66 | 200 | 0.100 | 0.500 |",
    ]


@pytest.mark.parametrize("load", [load_speeds, load_curves, load_generation])
@pytest.mark.parametrize("line", ['{"library": "torch"}', "[]", "{", '{"library": "torch", "config": 3}'])
def test_a_damaged_record_is_named(load, line, tmp_path):
    file = tmp_path / "rows.jsonl"
    assert load(file) == []
    file.write_text(line + "\n")
    with pytest.raises(UserError, match=r"rows\.jsonl, line 1 cannot be read"):
        load(file)


@pytest.mark.parametrize(
    ("load", "row", "empty"),
    [
        (load_speeds, speed("torch", 1.0), "tokens_per_second"),
        (load_curves, curve("torch", (1.0, 2.0)), "epochs"),
        (
            load_generation,
            {"length": 3, "seconds": [1.0], "vocabulary_size": 66, "config": CONFIG},
            "seconds",
        ),
    ],
)
def test_rows_without_a_figure_are_damaged(load, row, empty, tmp_path):
    file = tmp_path / "rows.jsonl"
    file.write_text(json.dumps(row) + "\n")
    assert load(file) == [row]
    file.write_text(json.dumps(row) + "\n" + json.dumps(row | {empty: []}) + "\n")
    with pytest.raises(UserError, match="line 2 cannot be read"):
        load(file)


def test_the_plot_has_a_panel_a_network_and_a_line_a_library():
    rows = [
        curve("rnn_jax", (60.0, 20.0), (120.0, 8.0)),
        curve("torch", (90.0, 21.0)),
        curve("torch", (30.0, 5.0), cell="gru", dataset="other"),
    ]
    first, second = language_speed_plots.curves(rows).axes
    assert first.get_title() == "text: lstm, 2 × 512"
    assert second.get_title() == "other: gru, 2 × 512"
    lines = {line.get_label(): line for line in first.get_lines()}
    assert lines["rnn_jax"].get_xdata().tolist() == [1, 2]
    assert lines["rnn_jax"].get_ydata() == pytest.approx([20, 8])
    assert lines["torch"].get_xdata().tolist() == [1.5]
    (alone,) = second.get_lines()
    assert (alone.get_label(), alone.get_color()) == ("torch", lines["torch"].get_color())
    (legend,) = language_speed_plots.curves(rows[::-1]).legends
    assert sorted(text.get_text() for text in legend.get_texts()) == ["rnn_jax", "torch"]


def test_another_figure_is_another_picture():
    def fingerprint(*rows):
        (picture,) = language_speed_plots.pictures(rows, "cpu").values()
        return picture.fingerprint

    row = curve("torch", (90.0, 21.0))
    assert list(language_speed_plots.pictures([row], "gpu")) == ["language_curve_gpu.png"]
    assert language_speed_plots.pictures([], "gpu") == {}
    assert fingerprint(row) == fingerprint(row | {"command": "again"})
    assert fingerprint(row) != fingerprint(curve("torch", (90.0, 21.5)))
