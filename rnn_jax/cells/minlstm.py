"""minLSTM: an LSTM whose gates and candidate do not see the past, so that all steps can be taken at once.

    f_t = σ(x_t W_f + b_f)                      forget gate
    i_t = σ(x_t W_i + b_i)                      input gate
    n_t = x_t W_n + b_n                         candidate
    h_t = f_t / (f_t + i_t) ⊙ h_{t-1} + i_t / (f_t + i_t) ⊙ n_t,    y_t = h_t

Paper: L. Feng et al., "Were RNNs All We Needed?", 2024, arXiv:2410.01201. Variant: section 3.2 as it stands;
not the one in log-space of its appendix, which makes candidates positive.

Gate order in every packed array: f, i, n. Shapes: W `[D, 3H]`, b `[3H]`, x_t `[..., D]`, h_t `[..., H]`.
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


class MinLSTMParams(NamedTuple):
    """Weights of a minLSTM, packed in the order f, i, n."""

    input_kernel: Array  # W [D, 3H]
    bias: Array  # b [3H]

    @property
    def hidden_size(self) -> int:
        """H."""
        return self.bias.shape[-1] // 3


def init(key: Array, input_size: int, hidden_size: int, dtype: DTypeLike = jnp.float32) -> MinLSTMParams:
    """Draws parameters: W Glorot-uniform for each gate and the candidate, b zero but 1 for the forget gate.

    Raises:
        ValueError: if a size is below 1.
    """
    check_sizes(input_size, hidden_size)
    return MinLSTMParams(
        input_kernel(key, input_size, hidden_size, 3, dtype),
        jnp.zeros(3 * hidden_size, dtype).at[:hidden_size].set(1.0),
    )


def _terms(z: Array) -> tuple[Array, Array]:
    """What a step multiplies the state by, and what it adds."""
    a_f, a_i, candidate = jnp.split(z, 3, axis=-1)
    # f / (f + i) = σ(log f - log i), which holds where both are too small for their sum, too.
    difference = jax.nn.softplus(-a_i) - jax.nn.softplus(-a_f)
    return jax.nn.sigmoid(difference), jax.nn.sigmoid(-difference) * candidate


def advance(params: MinLSTMParams, state: HiddenState, z: Array) -> tuple[HiddenState, Array]:
    """The new state: `z [..., 3H] -> (state, y [..., H])`."""
    factor, addend = _terms(z)
    hidden = factor * state.hidden + addend
    return HiddenState(hidden), hidden


def advance_all(
    params: MinLSTMParams, state: HiddenState, z: Array, restarts: Restarts | None = None
) -> tuple[HiddenState, Array]:
    """`advance` for all steps at once: `z [T, ..., 3H] -> (states [T, ...], y [T, ..., H])`."""
    states = scan_states(*_terms(z), state, restarts)
    return states, states.hidden


def gates(params: MinLSTMParams, state: HiddenState, z: Array) -> dict[str, Array]:
    """The gates of a step, before they are made to add up to 1, and its candidate."""
    forget, enter, candidate = jnp.split(z, 3, axis=-1)
    return {
        "forget gate": jax.nn.sigmoid(forget),
        "input gate": jax.nn.sigmoid(enter),
        "candidate": candidate,
    }


MINLSTM = Cell(init, zero_hidden, affine, advance, advance_all=advance_all, gates=gates, diagonal=True)
