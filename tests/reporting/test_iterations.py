"""Counts of iterations against what is made of them."""

from rnn_jax.reporting import iteration_plots
from rnn_jax.reporting.iterations import over_training_table, weights_table


def row(what, cell, seed, iterations, converged=True, **more):
    return {
        **{"what": what, "cell": cell, "length": 256, "seed": seed},
        **{"iterations": iterations, "converged": converged},
        **more,
    }


ROWS = [
    row("weights", "sru", 0, 2, scale=1.0),
    row("weights", "sru", 1, 2, scale=1.0),
    row("weights", "sru", 0, 7, scale=2.0),
    row("weights", "sru", 1, 10, scale=2.0),
    row("weights", "gru", 0, 30, scale=1.0),
    row("weights", "gru", 1, 500, converged=False, scale=1.0),
    row("weights", "gru", 0, 500, converged=False, scale=2.0),
    row("training", "sru", 0, 2, step=0),
    row("training", "sru", 0, 6, step=100),
]


def test_tables_show_means_ranges_and_what_did_not_converge():
    assert weights_table(ROWS).splitlines()[2:] == [
        "| sru | 256 | 2 | 8.5 (7 to 10) |",
        "| gru | 256 | 30, 1 of 2 did not | none converged |",
    ]
    assert over_training_table(ROWS).splitlines()[2:] == ["| sru | 256 | 2 | 6 |"]


def test_the_plot_shows_means_and_apart_from_them_what_did_not_converge():
    weights, training = iteration_plots.iterations(ROWS).axes
    assert [line.get_ydata().tolist() for line in weights.lines] == [[2, 8.5], [30]]
    assert [c.get_offsets().tolist() for c in weights.collections] == [[], [[1, 500], [2, 500]]]
    assert training.lines[0].get_ydata().tolist() == [2, 6]
