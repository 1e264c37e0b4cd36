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

from rnn_jax.cells.cell import Array, Cell, check_sizes, input_kernel, recurrent_kernel


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


class GRUState(NamedTuple):
    """What a GRU remembers."""

    hidden: Array  # h [..., H]


def init_v3(key: Array, input_size: int, hidden_size: int) -> GRUV3Params:
    """Draws parameters: W Glorot-uniform and U orthogonal for each gate, b zero.

    Raises:
        ValueError: if a size is below 1.
    """
    check_sizes(input_size, hidden_size)
    input_key, recurrent_key = jax.random.split(key)
    return GRUV3Params(
        input_kernel(input_key, input_size, hidden_size, gates=3),
        recurrent_kernel(recurrent_key, hidden_size, gates=3),
        jnp.zeros(3 * hidden_size),
    )


def init(key: Array, input_size: int, hidden_size: int) -> GRUParams:
    """Draws parameters: as `init_v3`, and c zero.

    Raises:
        ValueError: if a size is below 1.
    """
    return GRUParams(*init_v3(key, input_size, hidden_size), jnp.zeros(hidden_size))


def initial_state(params: GRUParams | GRUV3Params, batch_shape: tuple[int, ...]) -> GRUState:
    """A state of zeros, `[*batch_shape, H]`, in the type of the parameters."""
    zeros = jnp.zeros((*batch_shape, params.hidden_size), params.bias.dtype)
    return GRUState(zeros)


def project(params: GRUParams | GRUV3Params, x: Array) -> Array:
    """`x W + b`: `[..., D] -> [..., 3H]`."""
    return x @ params.input_kernel + params.bias


def advance(params: GRUParams, state: GRUState, z: Array) -> tuple[GRUState, Array]:
    """Reset after the product: `z [..., 3H] -> (state, y [..., H])`."""
    x_r, x_z, x_n = jnp.split(z, 3, axis=-1)
    h_r, h_z, h_n = jnp.split(state.hidden @ params.recurrent_kernel, 3, axis=-1)
    reset = jax.nn.sigmoid(x_r + h_r)
    candidate = jnp.tanh(x_n + reset * (h_n + params.candidate_bias))
    return _update(state, jax.nn.sigmoid(x_z + h_z), candidate)


def advance_v3(params: GRUV3Params, state: GRUState, z: Array) -> tuple[GRUState, Array]:
    """Reset before the product: `z [..., 3H] -> (state, y [..., H])`."""
    hidden_size = state.hidden.shape[-1]
    gates, candidate_kernel = jnp.split(params.recurrent_kernel, [2 * hidden_size], axis=1)
    z_gates, x_n = jnp.split(z, [2 * hidden_size], axis=-1)
    reset, update = jnp.split(jax.nn.sigmoid(z_gates + state.hidden @ gates), 2, axis=-1)
    candidate = jnp.tanh(x_n + (reset * state.hidden) @ candidate_kernel)
    return _update(state, update, candidate)


def _update(state: GRUState, update: Array, candidate: Array) -> tuple[GRUState, Array]:
    """`h = z ⊙ h + (1 - z) ⊙ n`."""
    hidden = update * state.hidden + (1 - update) * candidate
    return GRUState(hidden), hidden


GRU = Cell(init, initial_state, project, advance)
GRU_V3 = Cell(init_v3, initial_state, project, advance_v3)
