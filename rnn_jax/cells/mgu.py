"""The minimal gated unit: one gate, which forgets and resets.

    f_t = σ(x_t W_f + h_{t-1} U_f + b_f)                 forget gate
    n_t = tanh(x_t W_n + (f_t ⊙ h_{t-1}) U_n + b_n)      candidate
    h_t = (1 - f_t) ⊙ h_{t-1} + f_t ⊙ n_t,    y_t = h_t

Paper: G.-B. Zhou, J. Wu, C.-L. Zhang and Z.-H. Zhou, "Minimal Gated Unit for Recurrent Neural Networks",
2016, arXiv:1603.09420, as published.

Gate order in every packed array: f, n. Shapes: W `[D, 2H]`, U `[H, 2H]`, b `[2H]`, x_t `[..., D]`,
h_t `[..., H]`.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax.typing import DTypeLike

from rnn_jax.cells.cell import Array, Cell, HiddenState, affine, draw_weights, product, zero_hidden


class MGUParams(NamedTuple):
    """Weights of a minimal gated unit, packed in the order f, n."""

    input_kernel: Array  # W [D, 2H]
    recurrent_kernel: Array  # U [H, 2H]
    bias: Array  # b [2H]

    @property
    def hidden_size(self) -> int:
        """H."""
        return self.recurrent_kernel.shape[-2]


def init(key: Array, input_size: int, hidden_size: int, dtype: DTypeLike = jnp.float32) -> MGUParams:
    """Draws parameters: W Glorot-uniform and U orthogonal for gate and candidate, b zero.

    Raises:
        ValueError: if a size is below 1.
    """
    return MGUParams(*draw_weights(key, input_size, hidden_size, 2, dtype))


def gates(params: MGUParams, state: HiddenState, z: Array) -> dict[str, Array]:
    """The gate of a step, and its candidate."""
    gate_kernel, candidate_kernel = jnp.split(params.recurrent_kernel, 2, axis=1)
    x_f, x_n = jnp.split(z, 2, axis=-1)
    forget = jax.nn.sigmoid(x_f + product(state.hidden, gate_kernel))
    candidate = jnp.tanh(x_n + product(forget * state.hidden, candidate_kernel))
    return {"forget gate": forget, "candidate": candidate}


def advance(params: MGUParams, state: HiddenState, z: Array) -> tuple[HiddenState, Array]:
    """The new state: `z [..., 2H] -> (state, y [..., H])`."""
    forget, candidate = gates(params, state, z).values()
    hidden = (1 - forget) * state.hidden + forget * candidate
    return HiddenState(hidden), hidden


MGU = Cell(init, zero_hidden, affine, advance, gates=gates)
