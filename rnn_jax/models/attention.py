"""Attention: what a decoder reads of a memory at each of its steps."""

from functools import cache
from typing import Any, Literal, NamedTuple

import jax
import jax.numpy as jnp
from flax import nnx

from rnn_jax.cells.cell import Array, Cell, Params, State

AttentionName = Literal["none", "luong", "bahdanau"]
NOT_READ = -1e9  # the score of what is not there


class Memory(NamedTuple):
    """What may be read: S places for each of B examples."""

    values: Array  # [B, S, M]
    keys: Array  # [B, S, A], what queries are compared with
    mask: Array  # [B, S], 0 where there is something, `NOT_READ` elsewhere


class Attended(NamedTuple):
    """What has been read."""

    context: Array  # [B, ..., M], means of the values
    weights: Array  # [B, ..., S], of each place


def read(memory: Memory, scores: Array) -> Attended:
    """The mean of the values by the softmax of scores, `[B, S]` or `[B, T, S]`."""
    mask = memory.mask if scores.ndim == 2 else memory.mask[:, None]
    weights = jax.nn.softmax(scores + mask, axis=-1)
    return Attended(jnp.einsum("b...s,bsm->b...m", weights, memory.values), weights)


class Multiplicative(nnx.Module):
    """Attention by a product: score(h, m) = h · W m.

    M. Luong, H. Pham and C. Manning, 2015, arXiv:1508.04025: "general". Variant: what has been read is not
    fed into the next step, so that all steps are attended to at once.
    """

    def __init__(self, memory_size: int, query_size: int, rngs: nnx.Rngs) -> None:
        self.keys = nnx.Linear(memory_size, query_size, use_bias=False, rngs=rngs)

    def __call__(self, queries: Array, memory: Memory) -> Attended:
        """What is read by queries `[B, T, H]`."""
        return read(memory, jnp.einsum("bth,bsh->bts", queries, memory.keys))


class Additive(nnx.Module):
    """Attention by a layer: score(h, m) = v · tanh(W h + U m + b).

    D. Bahdanau, K. Cho and Y. Bengio, 2015, arXiv:1409.0473: each step reads by the state before it, and the
    cell reads what has been read, beside its input. See `attentive`.
    """

    def __init__(self, memory_size: int, query_size: int, rngs: nnx.Rngs) -> None:
        self.keys = nnx.Linear(memory_size, query_size, rngs=rngs)
        self.query = nnx.Linear(query_size, query_size, use_bias=False, rngs=rngs)
        self.score = nnx.Linear(query_size, 1, use_bias=False, rngs=rngs)

    def around(self, params: Params, memory: Memory) -> "AttentiveParams":
        """The parameters of `attentive(cell)`, from those of the cell."""
        return AttentiveParams(params, self.query.kernel[...], self.score.kernel[...][:, 0], memory)


class AttentiveParams(NamedTuple):
    """A cell's parameters, and what it reads at each step."""

    params: Params
    query: Array  # [H, A]
    score: Array  # [A]
    memory: Memory

    @property
    def hidden_size(self) -> int:
        """H."""
        size: int = self.params.hidden_size
        return size


@cache  # the same cell each time, so that what is compiled for it is found again
def attentive(cell: Cell) -> Cell:
    """A cell that reads a memory by its state before it goes on, and outputs what it has read, too.

    Inputs are `[..., D]` for a cell of D + M inputs; outputs are `[..., H + M + S]`: those of the cell, the
    context and the weights. The state must hold the output, as `hidden`.
    """

    def advance(params: AttentiveParams, state: State, x: Array) -> tuple[State, Array]:
        asked = (state.hidden @ params.query)[..., None, :] + params.memory.keys
        context, weights = read(params.memory, jnp.tanh(asked) @ params.score)
        state, y = cell.step(params.params, state, jnp.concatenate([x, context], axis=-1))
        return state, jnp.concatenate([y, context, weights], axis=-1)

    def initial_state(params: AttentiveParams, batch_shape: tuple[int, ...]) -> Any:
        return cell.initial_state(params.params, batch_shape)

    return Cell(cell.init, initial_state, lambda params, x: x, advance)


ATTENTIONS: dict[str, type[Multiplicative] | type[Additive]] = {
    "luong": Multiplicative,
    "bahdanau": Additive,
}
