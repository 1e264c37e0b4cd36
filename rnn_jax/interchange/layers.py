"""Recurrent layers as they come from another library."""

from typing import NamedTuple

from rnn_jax.cells.cell import Params
from rnn_jax.unroll import Directions


class Layers(NamedTuple):
    """The cell, by its name in `CELLS`, and the parameters of each layer, as `run_layers` takes them."""

    cell: str
    params: tuple[Params | Directions, ...]
