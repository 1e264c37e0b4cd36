"""Forecasts over what came."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from rnn_jax.reporting.picture import COLOURS, tidy

BEFORE = 2  # horizons of the past that are shown


class Forecast(NamedTuple):
    """A variable, and what was said of it.

    Attributes:
        title: what it is, and when.
        history: `[L]`.
        future: what came, `[H]`; empty where that is not known yet.
        bands: the mean, then the quantiles in order, `[H, 1 + Q]`.
    """

    title: str
    history: NDArray[np.floating]
    future: NDArray[np.floating]
    bands: NDArray[np.floating]


def draw_forecasts(forecasts: Sequence[Forecast], share: float) -> Figure:
    """A panel a forecast: the past, what came, the mean, and the band between the outer quantiles.

    Args:
        forecasts: what is drawn.
        share: of what comes, that is to be in the band.
    """
    figure = Figure(figsize=(11, 2.5 * len(forecasts) + 0.6), layout="constrained")
    panels = figure.subplots(len(forecasts), 1, squeeze=False)[:, 0]
    for axes, each in zip(panels, forecasts, strict=True):
        horizon = len(each.bands)
        past = each.history[-BEFORE * horizon :]
        ahead = np.arange(1, horizon + 1)
        axes.plot(np.arange(-len(past) + 1, 1), past, color="gray", label="past")
        axes.plot(ahead[: len(each.future)], each.future, color=COLOURS[6], label="what came")
        axes.plot(ahead, each.bands[:, 0], color=COLOURS[0], label="forecast")
        low, high = each.bands[:, 1], each.bands[:, -1]
        band = f"{share:.0%} band"
        axes.fill_between(ahead, low, high, color=COLOURS[0], alpha=0.2, linewidth=0, label=band)
        axes.set_title(each.title, fontsize="medium")
        tidy(axes)
    panels[0].legend(frameon=False, ncols=4, loc="upper left", fontsize="small")
    panels[-1].set_xlabel("steps from where the forecast begins")
    return figure
