"""The unroll that is fastest where a program will run, from a table of what has been measured or estimated.

`fastest.json` is the table: a line a platform, cell and size, with the unroll that trains it fastest there,
and how that is known. `python -m experiments.make_tables` makes it from the records of the benchmarks.
"""

import json
import math
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from typing import NamedTuple, TypeVar

import jax
from jax.typing import ArrayLike

from rnn_jax.cells import CELLS
from rnn_jax.cells.cell import Array, Cell, Params, State
from rnn_jax.platforms import Platform, traced_for
from rnn_jax.unroll.arguments import check_arguments
from rnn_jax.unroll.checkpointed import checkpointed
from rnn_jax.unroll.cudnn import cudnn
from rnn_jax.unroll.dynamic import dynamic
from rnn_jax.unroll.fused import fused
from rnn_jax.unroll.hoisted import hoisted
from rnn_jax.unroll.parallel import parallel
from rnn_jax.unroll.sequence import Lengths, Unroll, Unrolled

NEAR = 1.0  # the most that a size may differ, in each number, as a power of two
TABLE = Path(__file__).with_name("fastest.json")
Result = TypeVar("Result")
CHOICES: dict[str, Unroll] = {
    "dynamic": dynamic,
    "fused": fused,
    "hoisted": hoisted,
    "checkpointed": checkpointed,
    "parallel": parallel,
    "cudnn": cudnn,
}


class Fastest(NamedTuple):
    """A line of the table."""

    platform: str
    cell: str
    hidden: int
    batch: int
    time: int
    unroll: str  # a name in `CHOICES`
    known: str  # measured, or estimated by a compiler


@cache
def table() -> list[Fastest]:
    """All lines."""
    return [Fastest(*line) for line in json.loads(TABLE.read_text(encoding="utf-8"))]


@cache
def fastest(platform: Platform, cell: Cell, hidden: int, batch: int, time: int) -> str:
    """The unroll that trains a layer fastest on a platform: that of the nearest size in the table.

    Where no size is near, or the cell is not in it, the `usual` one.

    Example:
        >>> from rnn_jax.cells import LSTM
        >>> fastest("cpu", LSTM, hidden=32, batch=64, time=200)
        'fused'
    """
    name = next((name for name, known in CELLS.items() if known is cell), "")
    size = hidden, batch, time

    def distances(line: Fastest) -> list[float]:
        theirs = line.hidden, line.batch, line.time
        return [abs(math.log2(a / max(b, 1))) for a, b in zip(theirs, size, strict=True)]

    lines = [line for line in table() if (line.platform, line.cell) == (platform, name)]
    near = [line for line in lines if max(distances(line)) <= NEAR]
    if near:
        return min(near, key=lambda line: sum(distances(line))).unroll
    return usual(platform, cell)


def usual(platform: Platform, cell: Cell) -> str:
    """The unroll where nothing is known of a size.

    All steps at once on an accelerator if the cell is linear; else `hoisted` there, and `fused` on a CPU, or
    `dynamic` for cells that cannot be taken apart; those are `hoisted`, several steps a turn, on a GPU alone.
    """
    if cell.advance_all is not None and platform != "cpu":
        return "parallel"
    if cell.fusion is None:
        return "hoisted" if platform == "cuda" else "dynamic"
    return "fused" if platform == "cpu" else "hoisted"


def auto(
    cell: Cell,
    params: Params,
    x: Array,
    lengths: Lengths | None = None,
    initial_state: State | None = None,
    resets: ArrayLike | None = None,
    *,
    reverse: bool = False,
) -> Unrolled:
    """Runs the cell by the unroll that trains it fastest; see `Unroll` for arguments and errors.

    It is chosen by cell and size, and by platform when a program is compiled, so that one program serves all:
    `fastest` says which one it is; other platforms have the CPU's. Where all choose one, it is as if that was
    called.

    Example:
        >>> from rnn_jax.cells import LSTM
        >>> params = LSTM.init(jax.random.key(0), input_size=3, hidden_size=4)
        >>> auto(LSTM, params, jax.numpy.ones((2, 5, 3))).outputs.shape
        (2, 5, 4)
    """
    arguments = check_arguments(cell, params, x, lengths, initial_state, resets)

    def run(unroll: Unroll) -> Callable[..., Unrolled]:
        return partial(unroll, cell, reverse=reverse)

    return by_platform(cell, arguments.params.hidden_size, arguments.x, run)(*arguments)


def by_platform(
    cell: Cell, hidden: int, x: Array, run: Callable[[Unroll], Callable[..., Result]]
) -> Callable[..., Result]:
    """A function that runs a cell of H units over inputs `[B, T, D]` by the fastest unroll of each platform.

    `run` turns an unroll into such a function, of arrays or trees of them; the choice is made when a program
    is compiled.
    """
    batch, time, _ = x.shape
    names = {each: fastest(each, cell, hidden, batch, time) for each in traced_for()}
    ways = {name: run(CHOICES[name]) for name in names.values()}
    first, *others = names
    if len(ways) == 1:
        return ways[names[first]]
    places = {each: ways[names[each]] for each in others}
    return partial(jax.lax.platform_dependent, default=ways[names[first]], **places)
