"""A layer that is read forward and backward."""

from collections.abc import Callable
from typing import NamedTuple

from rnn_jax.cells.cell import Array, Cell, Params, State
from rnn_jax.unroll.arguments import check_arguments
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
    """Runs both directions, in one loop where the unroll knows how; see `Unroll` for arguments and errors."""
    if unroll is hoisted and cell.fusion is not None:
        return both_hoisted(cell, params, x, lengths, initial_state)
    if unroll is auto:
        return _chosen(cell, params, x, lengths, initial_state)
    forward = unroll(cell, params.forward, x, lengths, initial_state.forward)
    backward = unroll(cell, params.backward, x, lengths, initial_state.backward, reverse=True)
    return forward, backward


def _chosen(
    cell: Cell, params: Directions, x: Array, lengths: Lengths | None, initial_state: Directions
) -> Pair:
    def run(unroll: Unroll) -> Callable[..., Pair]:
        def both(params: Directions, x: Array, lengths: Array | None, initial_state: Directions) -> Pair:
            return run_both(unroll, cell, params, x, lengths, initial_state)

        return both

    one, other = (
        check_arguments(cell, own, x, lengths, start)
        for own, start in zip(params, initial_state, strict=True)
    )
    return by_platform(cell, one.params.hidden_size, one.x, run)(
        Directions(one.params, other.params),
        one.x,
        one.lengths,
        Directions(one.initial_state, other.initial_state),
    )
