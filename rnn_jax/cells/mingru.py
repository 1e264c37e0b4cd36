"""minGRU: a GRU whose gate and candidate do not see the past, so that all steps can be taken at once.

    z_t = σ(x_t W_z + b_z)                      update gate: how much of the candidate enters
    n_t = x_t W_n + b_n                         candidate
    h_t = (1 - z_t) ⊙ h_{t-1} + z_t ⊙ n_t,    y_t = h_t

Paper: L. Feng et al., "Were RNNs All We Needed?", 2024, arXiv:2410.01201. Variant: section 3.1 as it stands;
not the one in log-space of its appendix, which makes candidates positive.

Gate order in every packed array: z, n. Shapes: W `[D, 2H]`, b `[2H]`, x_t `[..., D]`, h_t `[..., H]`.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax.typing import DTypeLike

from rnn_jax.cells.cell import (
    Array,
    Cell,
    HiddenState,
    Restarts,
    affine,
    check_sizes,
    input_kernel,
    zero_hidden,
)
from rnn_jax.cells.linear_scan import scan_states


class MinGRUParams(NamedTuple):
    """Weights of a minGRU, packed in the order z, n."""

    input_kernel: Array  # W [D, 2H]
    bias: Array  # b [2H]

    @property
    def hidden_size(self) -> int:
        """H."""
        return self.bias.shape[-1] // 2


def init(key: Array, input_size: int, hidden_size: int, dtype: DTypeLike = jnp.float32) -> MinGRUParams:
    """Draws parameters: W Glorot-uniform for gate and candidate, b zero.

    Raises:
        ValueError: if a size is below 1.
    """
    check_sizes(input_size, hidden_size)
    kernel = input_kernel(key, input_size, hidden_size, 2, dtype)
    return MinGRUParams(kernel, jnp.zeros(2 * hidden_size, dtype))


def _terms(z: Array) -> tuple[Array, Array]:
    """What a step multiplies the state by, and what it adds."""
    update, candidate = jnp.split(z, 2, axis=-1)
    return jax.nn.sigmoid(-update), jax.nn.sigmoid(update) * candidate


def advance(params: MinGRUParams, state: HiddenState, z: Array) -> tuple[HiddenState, Array]:
    """The new state: `z [..., 2H] -> (state, y [..., H])`."""
    factor, addend = _terms(z)
    hidden = factor * state.hidden + addend
    return HiddenState(hidden), hidden


def advance_all(
    params: MinGRUParams, state: HiddenState, z: Array, restarts: Restarts | None = None
) -> tuple[HiddenState, Array]:
    """`advance` for all steps at once: `z [T, ..., 2H] -> (states [T, ...], y [T, ..., H])`."""
    states = scan_states(*_terms(z), state, restarts)
    return states, states.hidden


def gates(params: MinGRUParams, state: HiddenState, z: Array) -> dict[str, Array]:
    """The gate of a step, and its candidate."""
    update, candidate = jnp.split(z, 2, axis=-1)
    return {"update gate": jax.nn.sigmoid(update), "candidate": candidate}


MINGRU = Cell(init, zero_hidden, affine, advance, advance_all=advance_all, gates=gates, diagonal=True)
