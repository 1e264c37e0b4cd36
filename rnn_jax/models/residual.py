"""Residual blocks, each around a recurrent layer, as deep stacks of linear cells are built."""

from collections.abc import Callable, Sequence
from functools import partial

import jax
import jax.numpy as jnp
from flax import nnx

from rnn_jax.cells.cell import Array, State
from rnn_jax.unroll import Unrolled
from rnn_jax.unroll.arguments import check_lengths
from rnn_jax.unroll.sequence import Lengths
from rnn_jax.unroll.steps import valid_steps

Layer = Callable[[Array], Unrolled]


class ResidualBlock(nnx.Module):
    """A layer between a normalisation and a gated projection, beside a connection that skips all of it.

        h = layer(LayerNorm(x))
        y = x + dropout((W h + b) ⊙ σ(V h + c))

    `x [B, T, S] -> y [B, T, S]`, whatever the size of h. A linear cell mixes steps and has no nonlinearity:
    that is the gate's, a gated linear unit (Y. Dauphin et al., 2017, arXiv:1612.08083). Papers: J. Smith et
    al. (S5), 2023, arXiv:2208.04933; A. Orvieto et al. (LRU), 2023, arXiv:2303.06349; S. De et al. (Griffin),
    2024, arXiv:2402.19427. Variant: as for the LRU, without the GELU that S5 has before the gate and without
    Griffin's convolution and its feed-forward block.
    """

    def __init__(self, size: int, layer_size: int, rngs: nnx.Rngs) -> None:
        self.norm = nnx.LayerNorm(size, rngs=rngs)
        self.projection = nnx.Linear(layer_size, 2 * size, rngs=rngs)

    def __call__(self, layer: Layer, x: Array, drop: Callable[[Array], Array]) -> tuple[Array, State]:
        """The outputs, and the state of the layer; `drop` is the dropout."""
        unrolled = layer(self.norm(x))
        value, gate = jnp.split(self.projection(unrolled.outputs), 2, axis=-1)
        return x + drop(value * jax.nn.sigmoid(gate)), unrolled.state


class ResidualBlocks(nnx.Module):
    """What is around the layers of a stack: a block a layer, between two linear layers.

    The product of the last linear layer is also what a maximum over time needs behind a normalisation:
    compilers work out a normalisation anew for the derivative, with another rounding, and may then find the
    maximum at no step; products are kept.

    Attributes:
        entrance: from what the stack reads to the size of the blocks.
        blocks: one a recurrent layer.
        norm: of what the last block outputs.
        exit: from there to the outputs.
    """

    def __init__(self, input_size: int, size: int, layer_size: int, number: int, rngs: nnx.Rngs) -> None:
        self.entrance = nnx.Linear(input_size, size, rngs=rngs)
        self.blocks = nnx.List([ResidualBlock(size, layer_size, rngs) for _ in range(number)])
        self.norm = nnx.LayerNorm(size, rngs=rngs)
        self.exit = nnx.Linear(size, size, rngs=rngs)

    def __call__(
        self,
        layers: Sequence[Layer],
        x: Array,
        lengths: Lengths | None,
        drop: Callable[[int, Array], Array],
    ) -> Unrolled:
        """Runs the layers, each in its block; zeros beyond the lengths.

        Args:
            layers: what runs each of them.
            x: `[B, T, D]`, anything beyond the lengths.
            lengths: `[B]`; all of T by default.
            drop: `(number, values)`, the dropout in each block.
        """
        valid = jnp.bool(True)
        if lengths is not None:
            valid = valid_steps(check_lengths(lengths, *x.shape[:2]), x.shape[1])
        outputs, states = self.entrance(jnp.where(valid, x, 0)), []
        for number, (block, layer) in enumerate(zip(self.blocks, layers, strict=True)):
            outputs, state = block(layer, outputs, partial(drop, number))
            states.append(state)
        return Unrolled(jnp.where(valid, self.exit(self.norm(outputs)), 0), tuple(states))
