"""The plot of how soon language models learn."""

from collections.abc import Sequence
from functools import partial

from matplotlib.figure import Figure

from rnn_jax.reporting.language_speed import network_of, perplexity
from rnn_jax.reporting.picture import Picture, looks, plain_ticks, tidy
from rnn_jax.reporting.rows import Record


def pictures(rows: Sequence[Record], platform: str) -> dict[str, Picture]:
    """The file that shows these rows; there is none without rows."""
    name = f"language_curve_{platform}.png"
    shown = [[row["library"], row["dataset"], row["config"], row["epochs"]] for row in rows]
    return {name: Picture.of(partial(curves, rows), shown, name, __file__)} if rows else {}


def curves(rows: Sequence[Record]) -> Figure:
    """Draws validation perplexity over minutes of training, a panel a network and a line a library."""
    networks = {network_of(row): row for row in rows}
    figure = Figure(figsize=(0.6 + 5 * len(networks), 4.2), layout="constrained")
    panels = figure.subplots(1, len(networks), squeeze=False)[0]
    styles = looks(row["library"] for row in rows)
    for axes, (network, first) in zip(panels, networks.items(), strict=True):
        for row in rows:
            if network_of(row) == network:
                minutes = [epoch["seconds"] / 60 for epoch in row["epochs"]]
                values = [perplexity(epoch["validation_loss"]) for epoch in row["epochs"]]
                axes.plot(minutes, values, **styles[row["library"]])
        axes.set(title=_title(first), xlabel="minutes of training", yscale="log")
        axes.set_xlim(left=0)
        plain_ticks(axes.yaxis)
        tidy(axes)
    panels[0].set_ylabel("validation perplexity")
    handles = {
        label: h for axes in panels for h, label in zip(*axes.get_legend_handles_labels(), strict=True)
    }
    figure.legend(handles.values(), handles.keys(), loc="outside lower center", ncols=8, frameon=False)
    return figure


def _title(row: Record) -> str:
    config = row["config"]
    return f"{row['dataset']}: {config['cell']}, {config['num_layers']} × {config['hidden_size']}"
