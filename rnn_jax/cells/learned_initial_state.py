"""Initial states that are learnt."""

from functools import cache
from typing import NamedTuple

import jax
import jax.numpy as jnp

from rnn_jax.cells.cell import Cell, Params, State
from rnn_jax.cells.wrapped import wrap


class InitialStateParams(NamedTuple):
    """A cell's parameters, and the state that its sequences begin in."""

    params: Params
    start: State  # [H] each

    @property
    def hidden_size(self) -> int:
        """H."""
        size: int = self.params.hidden_size
        return size


@cache  # the same cell each time, so that what is compiled for it is found again
def learned_initial_state(cell: Cell) -> Cell:
    """A cell whose sequences begin in a state that is one of its parameters, instead of in zeros.

    So does what follows a reset. Paper: the output that a network begins with is named among its parameters
    by R. Pascanu, T. Mikolov and Y. Bengio, "On the difficulty of training recurrent neural networks", ICML
    2013, arXiv:1211.5063, section 1.1. Variant: all arrays of the state are learnt, the same for all
    sequences.

    Example:
        >>> from rnn_jax.cells import GRU
        >>> params = GRU.init(jax.random.key(0), 3, 4)
        >>> begun = InitialStateParams(params, GRU.initial_state(params, ()))  # in zeros, until it is trained
        >>> learned_initial_state(GRU).initial_state(begun, (2,)).hidden.shape
        (2, 4)
    """

    def initial_state(params: InitialStateParams, batch_shape: tuple[int, ...]) -> State:
        return jax.tree.map(lambda s: jnp.broadcast_to(s, (*batch_shape, *s.shape)), params.start)

    return wrap(cell, initial_state=initial_state)
