"""Plots of the benchmark of unrolls."""

import math
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from itertools import cycle
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from rnn_jax.reporting.benchmark import AT_ONCE, PEERS, Rows, Size, by_size, methods_in, split_at_once
from rnn_jax.reporting.picture import COLOURS, MARKERS, Picture, plain_ticks, tidy
from rnn_jax.reporting.rows import Record

Value = Callable[[dict[str, Any]], float | None]


def pictures(rows: Sequence[dict[str, Any]], platform: str) -> dict[str, Picture]:
    """The files that show these rows: costs over the length, speed over the size, and all sizes at once.

    Where all were measured at one length, there is nothing to show over it.
    """
    others, at_once = split_at_once(rows)
    lengths = others if len(_of_lengths(by_size(others))) > 1 else []
    draws: dict[str, tuple[Callable[[Rows], Figure], list[Record]]] = {
        f"unroll_over_length_{platform}.png": (over_length, lengths),
        f"unroll_over_size_{platform}.png": (over_size, others),
        f"unroll_ratios_{platform}.png": (ratios, others),
        f"parallel_{platform}.png": (parallel, at_once),
    }
    return {
        name: Picture.of(partial(draw, by_size(chosen)), chosen, name, __file__)
        for name, (draw, chosen) in draws.items()
        if chosen
    }


def over_length(rows: Rows) -> Figure:
    """Draws run time, compile time and memory of training over T, at the size with most lengths.

    A line joins what was measured by one version: other versions were measured on other days and machines.
    """
    lines = _of_lengths(rows)
    figure = Figure(figsize=(12, 4.6), layout="constrained")
    panels: list[tuple[str, Value]] = [
        ("run time (ms)", lambda row: 1e3 * row["seconds"]),
        ("compile time (s)", lambda row: row["compile_seconds"]),
        ("temporary memory (MB)", lambda row: _scaled(row["temporary_bytes"], 2**-20)),
    ]
    looks = _looks(rows)
    for axes, (label, value) in zip(figure.subplots(1, 3), panels, strict=True):
        _curves(axes, rows, lines, lambda size: size.case.time, value, looks)
        axes.set(xscale="log", yscale="log", xlabel="length T", ylabel=label)
        times = sorted({size.case.time for size in lines})
        following = [*times, math.inf][1:]
        kept = [time for time, after in zip(times, following, strict=True) if after > 1.5 * time]
        axes.set_xticks(kept, map(str, kept))  # labels of lengths near each other would overlap
        axes.minorticks_off()
        plain_ticks(axes.yaxis)
    if lines:
        case = lines[0].case
        figure.suptitle(
            f"Training a layer of {case.layer}, B = {case.batch}, D = H = {case.hidden}, {case.precision}"
        )
    _legend(figure, looks)
    return figure


def over_size(rows: Rows) -> Figure:
    """Draws the speed of training over H, a panel a cell and batch size, at the length with most sizes."""
    training = [size for size in rows if size.case.mode == "training"]
    chosen = _longest(training, lambda size: (size.case.time, size.case.precision, size.keep_memory))
    sizes = Counter((size.case.layer, size.case.batch) for size in chosen)
    panels = sorted(panel for panel in sizes if sizes[panel] > 1) or sorted(sizes)
    high, wide = max(1, -(-len(panels) // 3)), max(1, min(len(panels), 3))
    figure = Figure(figsize=(4 * wide, 1.2 + 3.2 * high), layout="constrained")
    looks = _looks({size: rows[size] for size in chosen})
    grid = figure.subplots(high, wide, squeeze=False).ravel()
    for axes in grid[len(panels) :]:
        axes.remove()
    for axes, (cell, batch) in zip(grid, panels, strict=False):
        lines = [size for size in chosen if (size.case.layer, size.case.batch) == (cell, batch)]
        _curves(axes, rows, lines, lambda size: size.case.hidden, lambda row: row["gflops"], looks)
        axes.set(xscale="log", xlabel="size H = D", ylabel="useful GFLOP/s", title=f"{cell}, B = {batch}")
        axes.set_ylim(bottom=0)
        axes.set_xticks(sorted({size.case.hidden for size in lines}))
        axes.get_xaxis().set_major_formatter("{x:.0f}")
        axes.minorticks_off()
    if chosen:
        figure.suptitle(f"Speed of training, T = {chosen[0].case.time}, {chosen[0].case.precision}")
    _legend(figure, looks)
    return figure


def ratios(rows: Rows) -> Figure:
    """Draws the run time of training as a multiple of the plain scan's, all sizes below each other."""
    lines = [
        size for size in rows if size.case.mode == "training" and _seconds(rows[size], "dynamic") is not None
    ]
    figure = Figure(figsize=(10, 1.6 + 0.24 * len(lines)), layout="constrained")
    axes = figure.subplots()
    looks = _looks(rows)
    for place, size in enumerate(reversed(lines)):
        base = _seconds(rows[size], "dynamic")
        for method, look in looks.items():
            seconds = _seconds(rows[size], method)
            if seconds is not None and base is not None:
                axes.plot(
                    seconds / base, place, look["marker"], color=look["color"], alpha=0.85, markersize=6
                )
    axes.axvline(1, color="black", linewidth=0.8)
    axes.set(xscale="log", xlabel="run time as a multiple of the plain scan's: left of 1 is faster")
    axes.set_yticks(range(len(lines)), [_name(size) for size in reversed(lines)], fontsize=8)
    plain_ticks(axes.xaxis)
    axes.set_ylim(-1, max(len(lines), 1))
    axes.set_title("What to use when: training")
    tidy(axes)
    _legend(figure, looks)
    return figure


def parallel(rows: Rows) -> Figure:
    """Draws, over T, the run time of all steps at once as a multiple of a scan's, a line a cell."""
    figure = Figure(figsize=(10, 4.6), layout="constrained")
    cells = sorted({size.case.layer for size in rows})
    looks = {
        cell: {"color": colour, "marker": marker, "markersize": 5}
        for cell, colour, marker in zip(cells, cycle(COLOURS), cycle(MARKERS), strict=False)
    }
    modes = sorted({size.case.mode for size in rows})
    panels = figure.subplots(1, len(modes), sharey=True, squeeze=False)[0]
    for axes, mode in zip(panels, modes, strict=True):
        for cell, look in looks.items():
            points = [
                (size.case.time, ratio)
                for size, methods in rows.items()
                if (size.case.layer, size.case.mode) == (cell, mode)
                and (ratio := _at_once_ratio(methods)) is not None
            ]
            if points:
                axes.plot(*zip(*sorted(points), strict=True), **look)
        axes.axhline(1, color="black", linewidth=0.8)
        axes.set(xscale="log", yscale="log", xlabel="length T", title=mode)
        axes.set_xticks(sorted({size.case.time for size in rows}))
        axes.get_xaxis().set_major_formatter("{x:,.0f}")
        axes.minorticks_off()
        plain_ticks(axes.yaxis)
        tidy(axes)
    figure.axes[0].set_ylabel("run time as a multiple of the scan's")
    shapes = {f"B = {size.case.batch}, D = H = {size.case.hidden}" for size in rows}
    figure.suptitle(f"All steps at once beside a scan, {', '.join(sorted(shapes))}: below 1 is faster")
    _legend(figure, looks)
    return figure


def _at_once_ratio(methods: dict[str, Record]) -> float | None:
    """The time of all steps at once as a multiple of the scan's."""
    base = _seconds(methods, "dynamic")
    own = next((name for name in AT_ONCE if name in methods), "")  # a cell has one or the other
    seconds = _seconds(methods, own)
    return None if base is None or seconds is None else seconds / base


def _curves(
    axes: Axes, rows: Rows, sizes: Sequence[Size], place: Callable[[Size], int], value: Value, looks: Any
) -> None:
    for method, look in looks.items():
        points = []
        for size in sizes:
            row = rows[size].get(method)
            if row is not None and row["status"] == "ok" and (found := value(row)) is not None:
                points.append((place(size), found))
        if points:
            axes.plot(*zip(*sorted(points), strict=True), **look)
    tidy(axes)


def _looks(rows: Rows) -> dict[str, dict[str, Any]]:
    """How each method looks; those of others are dashed."""
    return {
        method: {
            "color": color,
            "marker": marker,
            "markersize": 5,
            "linestyle": "--" if method in PEERS else "-",
        }
        for method, color, marker in zip(methods_in(rows), cycle(COLOURS), cycle(MARKERS), strict=False)
    }


def _legend(figure: Figure, looks: dict[str, dict[str, Any]]) -> None:
    handles = [Line2D([], [], label=method, **look) for method, look in looks.items()]
    figure.legend(handles=handles, loc="outside lower center", ncols=min(len(handles), 7), frameon=False)


def _longest(sizes: Sequence[Size], key: Callable[[Size], Any]) -> list[Size]:
    """Of the groups with the same key, the one with most sizes; the first of several."""
    groups: dict[Any, list[Size]] = {}
    for size in sizes:
        groups.setdefault(key(size), []).append(size)
    return max(groups.values(), key=len, default=[])


def _of_lengths(rows: Rows) -> list[Size]:
    """Those in training that differ in the length alone, by the same version: the most there are."""
    version = lambda size: frozenset(row.get("commit") for row in rows[size].values())  # noqa: E731
    training = [size for size in rows if size.case.mode == "training"]
    return _longest(training, lambda size: (_all_but_time(size), version(size)))


def _all_but_time(size: Size) -> Any:
    return size.case._replace(time=0), size.keep_memory


def _seconds(methods: dict[str, dict[str, Any]], method: str) -> float | None:
    row = methods.get(method)
    return row["seconds"] if row is not None and row["status"] == "ok" else None


def _scaled(value: float | None, factor: float) -> float | None:
    return None if value is None else value * factor


def _name(size: Size) -> str:
    case = size.case
    kept = "" if size.keep_memory else ", memory returned"
    kind = "" if case.precision == "float32" else f", {case.precision}"
    return f"{case.layer}  H {case.hidden}  B {case.batch}  T {case.time}{kind}{kept}"
