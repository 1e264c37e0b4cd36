import numpy as np
import pytest

from rnn_jax.reporting import memory_plots
from rnn_jax.reporting.memory import memory_table

NORMS = {"before": [1.0, 0.1], "after": [1.0, 0.5]}


def row(cell, length, seed, score, far=1.0):
    norms = {when: {"distance": [0, 9], "norm": [n * far for n in norm]} for when, norm in NORMS.items()}
    return {
        **{"cell": cell, "task": "adding", "length": length, "seed": seed, "score": score},
        **{"hidden": 4, "batch": 2, "steps": 100, "learning_rate": 1e-3, "gradient_norms": norms},
    }


ROWS = [
    *(row("lstm", 10, seed, score) for seed, score in ((0, 0.98), (1, 0.99))),
    row("elman", 10, 0, 0.5),
    *(row("lstm", 20, seed, score, far=seed + 1) for seed, score in ((0, 0.3), (1, 0.9))),
    row("elman", 20, 0, -0.004, far=0.5),
]


def test_the_table_has_the_mean_and_the_range_of_the_seeds():
    assert memory_table(ROWS).splitlines() == [
        "| task | cell | 10 steps | 20 steps |",
        "| --- | --- | --- | --- |",
        "| adding | lstm | 98 (98 to 99) | 60 (30 to 90) |",
        "| adding | elman | 50 | 0 |",
    ]


def test_the_score_is_drawn_over_the_length():
    (axes,) = memory_plots.remembered(ROWS).axes
    lstm, elman = axes.lines[:2]
    assert lstm.get_xdata().tolist() == [10, 20]
    assert lstm.get_ydata() == pytest.approx([98.5, 60])
    assert elman.get_ydata() == pytest.approx([50, -0.4])
    points = np.concatenate([part.get_offsets() for part in axes.collections])
    assert sorted(map(tuple, points.round(1).tolist()))[0] == (10, 50)
    assert len(points) == len(ROWS)


def test_gradients_of_the_longest_task_are_drawn_over_the_distance():
    before, after = memory_plots.gradients(ROWS).axes
    lstm, elman = before.lines[:2]
    assert lstm.get_xdata().tolist() == [0, 9]
    assert lstm.get_ydata() == pytest.approx([1.5, 0.15])  # of two seeds
    assert elman.get_ydata() == pytest.approx([0.5, 0.05])
    assert after.lines[0].get_ydata() == pytest.approx([1.5, 0.75])
