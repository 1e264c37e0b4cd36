"""Recurrent layers as they come from another library."""

from typing import NamedTuple

from rnn_jax.cells.cell import Params
from rnn_jax.unroll import Directions


class Layers(NamedTuple):
    """The cell, by its name in `CELLS`, and the parameters of each layer, as `run_layers` takes them."""

    cell: str
    params: tuple[Params | Directions, ...]

    @property
    def bidirectional(self) -> bool:
        """Whether each layer reads in both directions."""
        return isinstance(self.params[0], Directions)

    @property
    def first(self) -> Params:
        """The parameters of the first layer, read forward."""
        first = self.params[0]
        return first.forward if isinstance(first, Directions) else first

    @property
    def sizes(self) -> dict[str, int]:
        """What the layers read, what they hold, and how many they are."""
        return {
            "input_size": len(self.first.input_kernel),
            "hidden_size": self.first.hidden_size,
            "num_layers": len(self.params),
        }
