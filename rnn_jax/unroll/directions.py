"""A layer that is read forward and backward."""

from collections.abc import Callable
from typing import NamedTuple

import jax

from rnn_jax.cells.cell import Array, Cell, Params, State
from rnn_jax.unroll.arguments import Arguments, check_arguments
from rnn_jax.unroll.auto import auto, by_platform
from rnn_jax.unroll.hoisted import both_hoisted, hoisted
from rnn_jax.unroll.sequence import Lengths, Unroll, Unrolled


class Directions(NamedTuple):
    """The two halves of a bidirectional layer: parameters, or states.

    M. Schuster and K. Paliwal, "Bidirectional Recurrent Neural Networks", IEEE Transactions on Signal
    Processing 45 (1997): two networks that do not see each other, their outputs side by side.
    """

    forward: Params | State
    backward: Params | State


Pair = tuple[Unrolled, Unrolled]


def run_both(
    unroll: Unroll,
    cell: Cell,
    params: Directions,
    x: Array,
    lengths: Lengths | None,
    initial_state: Directions,
) -> Pair:
    """Runs both directions; see `Unroll` for arguments and errors.

    They share a loop where the unroll knows how, and the halves are of one size and type.
    """
    halves = zip(params, initial_state, strict=True)
    forward, backward = (check_arguments(cell, own, x, lengths, start) for own, start in halves)
    if unroll is auto and _are_alike(forward, backward):

        def run(chosen: Unroll) -> Callable[[Arguments, Arguments], Pair]:
            return lambda forward, backward: _run(chosen, cell, forward, backward)

        return by_platform(cell, forward.params.hidden_size, forward.x, run)(forward, backward)
    return _run(unroll, cell, forward, backward)


def _run(unroll: Unroll, cell: Cell, forward: Arguments, backward: Arguments) -> Pair:
    if unroll is hoisted and cell.fusion is not None and _are_alike(forward, backward):
        return both_hoisted(cell, forward, backward)
    return unroll(cell, *forward), unroll(cell, *backward, reverse=True)


def _are_alike(forward: Arguments, backward: Arguments) -> bool:
    one, other = (
        [(leaf.shape, leaf.dtype) for leaf in jax.tree.leaves(half)] for half in (forward, backward)
    )
    return one == other
