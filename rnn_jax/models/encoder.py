"""What lies between the inputs of all steps and the head of a classifier."""

from typing import NamedTuple, Protocol

import jax

from rnn_jax.cells.cell import Array
from rnn_jax.models.dropout import Keys


class Part(NamedTuple):
    """A line of the printed summary."""

    name: str
    output: jax.ShapeDtypeStruct
    parameters: object  # a module or a tree of arrays; None without any


class Encoder(Protocol):
    """From the vectors of all steps to one vector a sequence."""

    output_size: int

    def __call__(self, x: Array, lengths: Array, *, keys: Keys | None = None) -> Array:
        """`x [B, T, D], lengths [B] -> [B, output_size]`; `keys` turn noise on."""

    def parts(self, x: jax.ShapeDtypeStruct, lengths: jax.ShapeDtypeStruct) -> list[Part]:
        """What it is made of, for inputs of these shapes."""
