"""The gated recurrent unit, in both variants in use.

    r_t = σ(x_t W_r + h_{t-1} U_r + b_r)        reset gate: how much of the past the candidate sees
    z_t = σ(x_t W_z + h_{t-1} U_z + b_z)        update gate: how much of the past stays
    n_t = candidate, see below
    h_t = z_t ⊙ h_{t-1} + (1 - z_t) ⊙ n_t,    y_t = h_t

`GRU`, reset after the product (the form of cuDNN, `torch.nn.GRU` and Keras, whose documentation traces it to
the first version of Cho et al., arXiv:1406.1078v1), with a bias c of its own inside the reset:

    n_t = tanh(x_t W_n + b_n + r_t ⊙ (h_{t-1} U_n + c))

`GRU_V3`, reset before the product, as published (K. Cho et al., "Learning Phrase Representations using RNN
Encoder-Decoder for Statistical Machine Translation", EMNLP 2014, arXiv:1406.1078v3, equation 8):

    n_t = tanh(x_t W_n + b_n + (r_t ⊙ h_{t-1}) U_n)

Which side of the update gate keeps the past follows Cho et al. and torch; J. Chung et al. (2014,
arXiv:1412.3555) have 1 - z_t there, which only renames the gate.

Gate order in every packed array: r, z, n. Shapes: W `[D, 3H]`, U `[H, 3H]`, b `[3H]`, c `[H]`,
x_t `[..., D]`, h_t `[..., H]`.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax.typing import DTypeLike

from rnn_jax.cells.cell import (
    Array,
    Cell,
    Fusion,
    HiddenState,
    affine,
    draw_weights,
    kernel_gradient,
    product,
    zero_hidden,
)


class GRUParams(NamedTuple):
    """Weights of a GRU with the reset after the product, gates packed in the order r, z, n."""

    input_kernel: Array  # W [D, 3H]
    recurrent_kernel: Array  # U [H, 3H]
    bias: Array  # b [3H]
    candidate_bias: Array  # c [H], inside the reset

    @property
    def hidden_size(self) -> int:
        """H."""
        return self.recurrent_kernel.shape[-2]


class GRUV3Params(NamedTuple):
    """Weights of a GRU with the reset before the product, gates packed in the order r, z, n."""

    input_kernel: Array  # W [D, 3H]
    recurrent_kernel: Array  # U [H, 3H]
    bias: Array  # b [3H]

    @property
    def hidden_size(self) -> int:
        """H."""
        return self.recurrent_kernel.shape[-2]


def init_v3(key: Array, input_size: int, hidden_size: int, dtype: DTypeLike = jnp.float32) -> GRUV3Params:
    """Draws parameters: W Glorot-uniform and U orthogonal for each gate, b zero.

    Raises:
        ValueError: if a size is below 1.
    """
    return GRUV3Params(*draw_weights(key, input_size, hidden_size, 3, dtype))


def init(key: Array, input_size: int, hidden_size: int, dtype: DTypeLike = jnp.float32) -> GRUParams:
    """Draws parameters: as `init_v3`, and c zero.

    Raises:
        ValueError: if a size is below 1.
    """
    return GRUParams(*init_v3(key, input_size, hidden_size, dtype), jnp.zeros(hidden_size, dtype))


def mix(params: GRUParams, state: HiddenState) -> Array:
    """`h U`, and c for the candidate: `[..., 3H]`."""
    bias = jnp.pad(params.candidate_bias, (2 * params.hidden_size, 0))
    return product(state.hidden, params.recurrent_kernel) + bias


def combine(state: HiddenState, z: Array, m: Array) -> tuple[HiddenState, tuple[Array, ...]]:
    """The new state, and r, z, n and what r multiplies."""
    x_r, x_z, x_n = jnp.split(z, 3, axis=-1)
    h_r, h_z, h_n = jnp.split(m, 3, axis=-1)
    reset, update = jax.nn.sigmoid(x_r + h_r), jax.nn.sigmoid(x_z + h_z)
    candidate = jnp.tanh(x_n + reset * h_n)
    state, _ = _update(state, update, candidate)
    return state, (reset, update, candidate, h_n)


def advance(params: GRUParams, state: HiddenState, z: Array) -> tuple[HiddenState, Array]:
    """Reset after the product: `z [..., 3H] -> (state, y [..., H])`."""
    state, _ = combine(state, z, mix(params, state))
    return state, state.hidden


def gates(params: GRUParams, state: HiddenState, z: Array) -> dict[str, Array]:
    """The gates of a step, and its candidate."""
    _, (reset, update, candidate, _) = combine(state, z, mix(params, state))
    return {"reset gate": reset, "update gate": update, "candidate": candidate}


def gradients(
    saved: tuple[Array, ...], previous: HiddenState, state: HiddenState, d_state: HiddenState
) -> tuple[HiddenState, Array, Array]:
    """Back through `combine`, with da for the gradient of what enters a gate, and s for h_{t-1} U_n + c.

    dh_{t-1} = z ⊙ dh,    da_z = dh ⊙ (h_{t-1} - n) ⊙ z(1 - z)
    da_n = dh ⊙ (1 - z) ⊙ (1 - n²),    ds = da_n ⊙ r,    da_r = da_n ⊙ s ⊙ r(1 - r)
    """
    reset, update, candidate, h_n = saved
    d_hidden = d_state.hidden
    da_n = d_hidden * (1 - update) * (1 - candidate * candidate)
    da_r = da_n * h_n * reset * (1 - reset)
    da_z = d_hidden * (previous.hidden - candidate) * update * (1 - update)
    dz = jnp.concatenate([da_r, da_z, da_n], axis=-1)
    dm = jnp.concatenate([da_r, da_z, da_n * reset], axis=-1)
    return HiddenState(d_hidden * update), dz, dm


def weight_gradients(x: Array, hidden: Array, dz: Array, dm: Array) -> GRUParams:
    """Gradients of the weights."""
    return GRUParams(
        kernel_gradient(x, dz),
        kernel_gradient(hidden, dm),
        dz.sum(axis=0),
        dm[:, 2 * hidden.shape[-1] :].sum(axis=0),
    )


def gates_v3(params: GRUV3Params, state: HiddenState, z: Array) -> dict[str, Array]:
    """The gates of a step, and its candidate."""
    hidden_size = state.hidden.shape[-1]
    gates_kernel, candidate_kernel = jnp.split(params.recurrent_kernel, [2 * hidden_size], axis=1)
    z_gates, x_n = jnp.split(z, [2 * hidden_size], axis=-1)
    reset, update = jnp.split(jax.nn.sigmoid(z_gates + product(state.hidden, gates_kernel)), 2, axis=-1)
    candidate = jnp.tanh(x_n + product(reset * state.hidden, candidate_kernel))
    return {"reset gate": reset, "update gate": update, "candidate": candidate}


def advance_v3(params: GRUV3Params, state: HiddenState, z: Array) -> tuple[HiddenState, Array]:
    """Reset before the product: `z [..., 3H] -> (state, y [..., H])`."""
    _, update, candidate = gates_v3(params, state, z).values()
    return _update(state, update, candidate)


def _update(state: HiddenState, update: Array, candidate: Array) -> tuple[HiddenState, Array]:
    """`h = z ⊙ h + (1 - z) ⊙ n`."""
    hidden = update * state.hidden + (1 - update) * candidate
    return HiddenState(hidden), hidden


GRU = Cell(init, zero_hidden, affine, advance, Fusion(mix, combine, gradients, weight_gradients), gates=gates)
GRU_V3 = Cell(init_v3, zero_hidden, affine, advance_v3, gates=gates_v3)
