"""A recurrent layer in training, to be compiled for one device."""

from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax.sharding import SingleDeviceSharding

from rnn_jax.ahead.programs import Ahead
from rnn_jax.cells import CELLS
from rnn_jax.cells.cell import Array
from rnn_jax.unroll import UNROLLS, newton, runs_itself

ITERATIONS = 8  # of Newton's method, which nobody knows before it has run


class Layer(NamedTuple):
    """One recurrent layer, with as many inputs as hidden units, over sequences of one length."""

    cell: str
    unroll: str
    hidden: int
    batch: int
    time: int

    def program(self, device: Any) -> Ahead:
        """Gradients of the sum of its outputs, for inputs and weights."""
        cell, unroll = CELLS[self.cell], UNROLLS[self.unroll]
        if unroll is newton:
            unroll = partial(newton, max_iterations=ITERATIONS)

        def train(params: Any, x: Array, weights: Array) -> Any:
            return jax.grad(lambda p, x: (unroll(cell, p, x).outputs * weights).sum(), argnums=(0, 1))(
                params, x
            )

        params = jax.eval_shape(lambda: cell.init(jax.random.key(0), self.hidden, self.hidden))
        x = jax.ShapeDtypeStruct((self.batch, self.time, self.hidden), jnp.float32)
        return Ahead(jax.jit(train, in_shardings=SingleDeviceSharding(device)), (params, x, x))


def unrolls_of(cell: str) -> list[str]:
    """Unrolls that differ from each other for a cell, the plain scan first.

    Left out are those that would hand the cell on to another as it is, and a loop that is compiled step by
    step.
    """
    others = ("fused", "hoisted", "checkpointed", "parallel", "newton")
    return ["dynamic", *(name for name in others if runs_itself(name, CELLS[cell]))]
