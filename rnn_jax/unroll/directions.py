"""A layer that is read forward and backward."""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from rnn_jax.cells.cell import Array, Cell, Params, State
from rnn_jax.unroll.arguments import Arguments, check_arguments
from rnn_jax.unroll.auto import auto, by_platform
from rnn_jax.unroll.cudnn import both_cudnn, cudnn
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
    resets: ArrayLike | None,
) -> Pair:
    """Runs both directions; see `Unroll` for arguments and errors.

    They share a loop, or a call, where the unroll knows how, and the halves are of one size and type.
    """
    if unroll in (auto, hoisted, cudnn):
        halves = zip(params, initial_state, strict=True)
        forward, backward = (check_arguments(cell, own, x, lengths, start, resets) for own, start in halves)
        if _are_alike(forward, backward):
            return _run_alike(unroll, cell, forward, backward)
    return (
        unroll(cell, params.forward, x, lengths, initial_state.forward, resets),
        unroll(cell, params.backward, x, lengths, initial_state.backward, resets, reverse=True),
    )


def _run_alike(unroll: Unroll, cell: Cell, forward: Arguments, backward: Arguments) -> Pair:
    if unroll is auto:
        return by_platform(
            cell,
            forward.params.hidden_size,
            forward.x,
            lambda chosen: partial(_run_alike, chosen, cell),
        )(forward, backward)
    if unroll is hoisted and cell.fusion is not None:
        return both_hoisted(cell, forward, backward)
    if unroll is cudnn:
        return both_cudnn(cell, forward, backward)
    return unroll(cell, *forward), unroll(cell, *backward, reverse=True)


def _are_alike(forward: Arguments, backward: Arguments) -> bool:
    kinds = lambda half: [(jnp.shape(a), jnp.result_type(a)) for a in jax.tree.leaves(half)]  # noqa: E731
    return kinds(forward) == kinds(backward)
