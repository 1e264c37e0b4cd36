"""Noise on what a cell remembers, for training: cells made of cells.

What is drawn comes with the parameters, so that every layer and direction has its own.
"""

from functools import cache
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from rnn_jax.cells.cell import Array, Cell, Fusion, Params, State
from rnn_jax.cells.wrapped import wrap


class MaskedParams(NamedTuple):
    """A cell's parameters, and a mask over what its products see of the state."""

    params: Params
    mask: Array  # [..., H]: 0 where dropped, 1 / (1 - rate) elsewhere

    @property
    def hidden_size(self) -> int:
        """H."""
        size: int = self.params.hidden_size
        return size


def can_drop(cell: Cell) -> bool:
    """Whether `recurrent_dropout` knows a cell."""
    return cell.fusion is not None


@cache  # the same cell each time, so that what is compiled for it is found again
def recurrent_dropout(cell: Cell) -> Cell:
    """A cell whose products see `m ⊙ h_{t-1}` instead of h_{t-1}, with one mask m for all steps.

    What else reads the state sees all of it. Paper: Y. Gal and Z. Ghahramani, "A Theoretically Grounded
    Application of Dropout in Recurrent Neural Networks", 2016, arXiv:1512.05287. Variant: one mask for all
    gates.

    Raises:
        ValueError: for a cell that cannot be taken apart into a product and the rest (`fusion` is None).
    """
    fusion = cell.fusion
    if fusion is None:
        raise ValueError("recurrent dropout needs a cell that is one product a step and the rest")

    def hide(params: MaskedParams, state: State) -> State:
        return state._replace(hidden=state.hidden * jax.lax.stop_gradient(params.mask))

    def advance(params: MaskedParams, state: State, z: Array) -> tuple[State, Array]:
        state, _ = fusion.combine(state, z, fusion.mix(params.params, hide(params, state)))
        return state, state.hidden

    own = wrap(cell, advance=advance, gates=None)
    assert own.fusion is not None
    masked = own.fusion._replace(
        mix=lambda params, state: fusion.mix(params.params, hide(params, state)),
        mask_hidden=lambda params, hidden: fusion.mask_hidden(params.params, hidden * params.mask),
    )
    return own._replace(fusion=masked)


def has_recurrent_kernel(cell: Cell) -> bool:
    """Whether a cell has a matrix of recurrent weights, some of which can be dropped."""
    return hasattr(_params(cell), "recurrent_kernel")


class ZoneoutParams(NamedTuple):
    """A cell's parameters, and what decides where its state stays."""

    params: Params
    rate: float
    keys: Array | None  # [B], a random key a row; None when not training

    @property
    def hidden_size(self) -> int:
        """H."""
        size: int = self.params.hidden_size
        return size


class ZoneoutState(NamedTuple):
    """A cell's state, and how many steps it has seen."""

    state: State
    step: Array  # int32 [..., 1]

    @property
    def hidden(self) -> Array:
        """The output, [..., H]."""
        output: Array = self.state.hidden
        return output


def has_hidden(cell: Cell) -> bool:
    """Whether the state of a cell holds its output, as `hidden`: what attention needs."""
    return hasattr(_state(cell), "hidden")


def can_zone_out(cell: Cell) -> bool:
    """Whether `zoneout` knows a cell: one that has its output as `hidden`, in a state that may be mixed."""
    return has_hidden(cell) and cell.free_state


def _state(cell: Cell) -> State:
    """The shapes of a cell's state."""
    return jax.eval_shape(lambda: cell.initial_state(_params(cell), ()))


def _params(cell: Cell) -> Params:
    """The shapes of a cell's parameters."""
    return jax.eval_shape(lambda: cell.init(jax.random.key(0), 1, 1))


@cache
def zoneout(cell: Cell) -> Cell:
    """A cell each of whose units keeps its old state at a step with some probability, or goes on.

    When not training, the state is what is to be expected: `rate` times the old one, and the rest of the new.
    Paper: D. Krueger et al., "Zoneout: Regularizing RNNs by Randomly Preserving Hidden Activations", ICLR
    2017, arXiv:1606.01305. Variant: one rate for all that a cell remembers, each array of it with a mask of
    its own.

    The state must hold the output, as `hidden`; in training it is `[B, H]`.
    """

    def initial_state(params: ZoneoutParams, batch_shape: tuple[int, ...]) -> ZoneoutState:
        state = cell.initial_state(params.params, batch_shape)
        return ZoneoutState(state, jnp.zeros((*batch_shape, 1), jnp.int32))

    def kept(params: ZoneoutParams, state: ZoneoutState) -> State:
        """How much each unit keeps of its old state at this step: 0 or 1 in training, `[B, H]` each."""
        if params.keys is None:
            return jax.tree.map(lambda s: jnp.full_like(s, params.rate), state.state)

        def draw(key: Array, step: Array) -> list[Array]:
            each = jax.random.split(jax.random.fold_in(key, step), len(state.state))
            sizes = (leaf.shape[-1:] for leaf in state.state)
            rate = jnp.float32(params.rate)
            return [jax.random.bernoulli(k, rate, size) for k, size in zip(each, sizes, strict=True)]

        drawn = jax.vmap(draw)(params.keys, state.step[:, 0])
        masks = (mask.astype(s.dtype) for mask, s in zip(drawn, state.state, strict=True))
        return type(state.state)(*masks)

    def move(state: ZoneoutState, new: State, kept: State) -> ZoneoutState:
        mixed = jax.tree.map(lambda o, n, k: k * o + (1 - k) * n, state.state, new, kept)
        return ZoneoutState(mixed, state.step + 1)

    def advance(params: ZoneoutParams, state: ZoneoutState, z: Array) -> tuple[ZoneoutState, Array]:
        new, _ = cell.advance(params.params, state.state, z)
        state = move(state, new, kept(params, state))
        return state, state.hidden

    def gates(params: ZoneoutParams, state: ZoneoutState, z: Array) -> dict[str, Array]:
        assert cell.gates is not None
        return cell.gates(params.params, state.state, z)

    def fuse(fusion: Fusion) -> Fusion:
        def mix(params: ZoneoutParams, state: ZoneoutState) -> Any:
            return fusion.mix(params.params, state.state), kept(params, state)

        def combine(state: ZoneoutState, z: Array, mixed: Any) -> tuple[ZoneoutState, Any]:
            m, kept = mixed
            new, saved = fusion.combine(state.state, z, m)
            return move(state, new, kept), (new, saved, kept)

        def gradients(
            saved: Any, previous: ZoneoutState, state: ZoneoutState, d_state: ZoneoutState
        ) -> tuple[ZoneoutState, Array, Array]:
            new, saved, kept = saved
            d_new = jax.tree.map(lambda d, k: (1 - k) * d, d_state.state, kept)
            d_old = jax.tree.map(jnp.multiply, d_state.state, kept)
            d_previous, dz, dm = fusion.gradients(saved, previous.state, new, d_new)
            return ZoneoutState(jax.tree.map(jnp.add, d_previous, d_old), d_state.step), dz, dm

        return Fusion(
            mix,
            combine,
            gradients,
            fusion.weight_gradients,
            lambda params, hidden: fusion.mask_hidden(params.params, hidden),
            lambda params, d: ZoneoutState(fusion.clip_gradient(params.params, d.state), d.step),
        )

    return wrap(
        cell,
        initial_state=initial_state,
        advance=advance,
        fusion=cell.fusion and fuse(cell.fusion),
        advance_all=None,
        gates=gates if cell.gates else None,
        diagonal=False,
    )
