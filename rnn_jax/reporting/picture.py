"""Plots as files that can tell whether they are up to date."""

import hashlib
import json
from collections.abc import Callable, Iterable
from itertools import cycle
from pathlib import Path
from typing import Any, NamedTuple

import matplotlib.style
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullLocator
from PIL import Image

# Okabe and Ito: for all eyes. With six shapes against seven colours, a pair comes again after 42 names.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
MARKERS = ("o", "s", "^", "D", "v", "P")
FINGERPRINT = "Description"  # the field of a PNG that says what it shows


class Picture(NamedTuple):
    """A plot that has not been drawn yet, and a fingerprint of what it would show.

    Pixels differ between versions of matplotlib and its fonts; a fingerprint does not.
    """

    draw: Callable[[], Figure]
    fingerprint: str

    @classmethod
    def of(cls, draw: Callable[[], Figure], records: Any, name: str, code: str) -> "Picture":
        """The plot of a name that the code of a file draws from records, which can be written as JSON."""
        text = name + json.dumps(records, sort_keys=True) + Path(code).read_text(encoding="utf-8")
        return cls(draw, hashlib.sha256(text.encode()).hexdigest())

    def save(self, path: Path) -> None:
        """Draws it into a PNG, in the same style whatever the reader's matplotlibrc says."""
        path.parent.mkdir(parents=True, exist_ok=True)
        metadata: dict[str, Any] = {FINGERPRINT: self.fingerprint, "Software": None}
        with matplotlib.style.context("default"):
            self.draw().savefig(path, dpi=100, metadata=metadata, pil_kwargs={"optimize": True})

    def is_in(self, path: Path) -> bool:
        """Whether a file shows this."""
        try:
            with Image.open(path) as image:
                return image.info.get(FINGERPRINT) == self.fingerprint
        except OSError:  # not there, or no picture
            return False


def looks(names: Iterable[str]) -> dict[str, dict[str, Any]]:
    """A colour and a marker for each name, as options of `Axes.plot`; the name is the label."""
    pairs = zip(dict.fromkeys(names), cycle(COLOURS), cycle(MARKERS), strict=False)
    return {name: {"color": color, "marker": marker, "label": name} for name, color, marker in pairs}


def legend_below(figure: Figure, axes: Axes) -> None:
    """One legend for all panels, from what one of them shows, in as many columns as there is room for."""
    handles, labels = axes.get_legend_handles_labels()
    room = int(figure.get_figwidth() / (0.6 + 0.09 * max(map(len, labels), default=0)))  # inches
    columns = min(len(labels), max(1, room))
    figure.legend(handles, labels, loc="outside lower center", ncols=columns, frameon=False)


def tidy(axes: Axes) -> None:
    """A light grid, and no frame above and to the right."""
    axes.grid(alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)


def plain_ticks(axis: Axis) -> None:
    """Labels a logarithmic axis with plain numbers: 1, 2, 5, 10 and so on."""
    axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axis.set_major_formatter("{x:g}")
    axis.set_minor_locator(NullLocator())
