"""The plot of the iterations of Newton's method over time."""

from collections.abc import Sequence
from functools import partial
from statistics import mean

from matplotlib.figure import Figure

from rnn_jax.cells import CELLS
from rnn_jax.reporting.iterations import counts
from rnn_jax.reporting.picture import Picture, legend_below, looks, plain_ticks, tidy
from rnn_jax.reporting.rows import Record


def pictures(rows: Sequence[Record]) -> dict[str, Picture]:
    """The file that shows these rows."""
    return {"newton.png": Picture.of(partial(iterations, rows), list(rows), "newton.png", __file__)}


def iterations(rows: Sequence[Record]) -> Figure:
    """Draws the iterations over the size of the recurrent weights, and over training; a point a seed.

    Those that did not converge are open points, at the iterations after which they were given up.
    """
    figure = Figure(figsize=(9.6, 4.2), layout="constrained")
    panels = figure.subplots(1, 2, sharey=True)
    weights = [row for row in rows if row["what"] == "weights"]
    training = [row for row in rows if row["what"] == "training"]
    longest = max((row["length"] for row in weights), default=0)
    styles = looks(row["cell"] for row in rows)
    for cell, look in styles.items():
        if not CELLS[cell].diagonal:
            look["label"] = f"{cell}, diagonal alone"
    kinds = (weights, "scale", longest), (training, "step", max((r["length"] for r in training), default=0))
    for axes, (own, over, length) in zip(panels, kinds, strict=True):
        for cell, look in styles.items():
            found = counts(own, cell, over, length=length)
            done = {at: [r["iterations"] for r in each if r["converged"]] for at, each in found.items()}
            line = {at: mean(values) for at, values in done.items() if values}
            axes.plot(list(line), list(line.values()), **look)
            lost = [(at, r["iterations"]) for at, each in found.items() for r in each if not r["converged"]]
            places = zip(*lost, strict=True) if lost else ([], [])
            axes.scatter(*places, facecolors="none", edgecolors=look["color"])
        axes.set(yscale="log")
        plain_ticks(axes.yaxis)
        tidy(axes)
    panels[0].set(title=f"T = {longest:,}", xlabel="size of the recurrent weights", ylabel="iterations")
    panels[1].set(title="adding problem, T = 200", xlabel="steps of training")
    figure.suptitle("Iterations of Newton's method over time")
    legend_below(figure, panels[0])
    return figure
