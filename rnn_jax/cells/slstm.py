"""The sLSTM: an LSTM whose input gate is exponential, so that what comes later can outweigh all before it.

    i_t = exp(x_t W_i + h_{t-1} U_i + b_i)      input gate, any positive number
    f_t = σ(x_t W_f + h_{t-1} U_f + b_f)        forget gate
    g_t = tanh(x_t W_g + h_{t-1} U_g + b_g)     candidate
    o_t = σ(x_t W_o + h_{t-1} U_o + b_o)        output gate
    c_t = f_t ⊙ c_{t-1} + i_t ⊙ g_t
    n_t = f_t ⊙ n_{t-1} + i_t                   normaliser: the sum of the weights in c_t
    h_t = o_t ⊙ c_t / n_t,    y_t = h_t

Kept are c_t e^(-m_t) and n_t e^(-m_t), with m_t = max(log f_t + m_{t-1}, log i_t), so that nothing
overflows; h_t does not depend on m_t.

Paper: M. Beck et al., "xLSTM: Extended Long Short-Term Memory", NeurIPS 2024, arXiv:2405.04517, section 2.2.
Variant: one head, U is dense; the forget gate is a sigmoid, one of the two that the paper gives; the cell
alone, without the convolution, group normalisation and feed-forward layers of the paper's block.

Gate order in every packed array: i, f, g, o. Shapes: W `[D, 4H]`, U `[H, 4H]`, b `[4H]`, x_t `[..., D]`,
h_t, c_t, n_t and m_t `[..., H]`.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax.typing import DTypeLike

from rnn_jax.cells.cell import Array, Cell, Fusion, affine, draw_weights, kernel_gradient, mix


class SLSTMParams(NamedTuple):
    """Weights of an sLSTM, packed in the order i, f, g, o."""

    input_kernel: Array  # W [D, 4H]
    recurrent_kernel: Array  # U [H, 4H]
    bias: Array  # b [4H]

    @property
    def hidden_size(self) -> int:
        """H."""
        return self.recurrent_kernel.shape[-2]


class SLSTMState(NamedTuple):
    """What an sLSTM remembers; where nothing has been read, all is zero."""

    hidden: Array  # h [..., H]
    cell: Array  # c e^(-m) [..., H]
    normalizer: Array  # n e^(-m) [..., H], 1 or more once something has been read
    stabilizer: Array  # m [..., H]


class Saved(NamedTuple):
    """What the derivatives of a step need."""

    enter: Array  # i e^(-m)
    keep: Array  # f e^(m_{t-1} - m)
    candidate: Array  # g
    output: Array  # o
    forgets: Array  # 1 - f
    takes: Array  # bool: whether m is log i


def init(key: Array, input_size: int, hidden_size: int, dtype: DTypeLike = jnp.float32) -> SLSTMParams:
    """Draws parameters: W Glorot-uniform, U orthogonal, gate by gate, b zero but 1 for the forget gate.

    Raises:
        ValueError: if a size is below 1.
    """
    kernel, recurrent, bias = draw_weights(key, input_size, hidden_size, 4, dtype)
    return SLSTMParams(kernel, recurrent, bias.at[hidden_size : 2 * hidden_size].set(1.0))


def initial_state(params: SLSTMParams, batch_shape: tuple[int, ...]) -> SLSTMState:
    """A state of zeros in the type of the parameters."""
    shape, dtype = (*batch_shape, params.hidden_size), params.bias.dtype
    return SLSTMState(*(jnp.zeros(shape, dtype) for _ in SLSTMState._fields))


def combine(state: SLSTMState, z: Array, m: Array) -> tuple[SLSTMState, Saved]:
    """The new state, and what its derivatives need."""
    log_enter, a_f, a_g, a_o = jnp.split(z + m, 4, axis=-1)
    is_first = state.normalizer == 0
    log_keep = jax.nn.log_sigmoid(a_f) + state.stabilizer
    takes = is_first | (log_enter > log_keep)
    stabilizer = jnp.where(takes, log_enter, log_keep)
    enter, keep = jnp.exp(log_enter - stabilizer), jnp.exp(jnp.where(is_first, 0, log_keep - stabilizer))
    candidate, output = jnp.tanh(a_g), jax.nn.sigmoid(a_o)
    memory = keep * state.cell + enter * candidate
    normalizer = keep * state.normalizer + enter
    saved = Saved(enter, keep, candidate, output, jax.nn.sigmoid(-a_f), takes)
    return SLSTMState(output * memory / normalizer, memory, normalizer, stabilizer), saved


def advance(params: SLSTMParams, state: SLSTMState, z: Array) -> tuple[SLSTMState, Array]:
    """The gates and the new state: `z [..., 4H] -> (state, y [..., H])`."""
    state, _ = combine(state, z, mix(params, state))
    return state, state.hidden


def gates(params: SLSTMParams, state: SLSTMState, z: Array) -> dict[str, Array]:
    """The gates of a step, and its candidate; of the input gate, its share of the normaliser."""
    new, saved = combine(state, z, mix(params, state))
    return {
        "input gate": saved.enter / new.normalizer,
        "forget gate": 1 - saved.forgets,
        "candidate": saved.candidate,
        "output gate": saved.output,
    }


def gradients(
    saved: Saved, previous: SLSTMState, state: SLSTMState, d_state: SLSTMState
) -> tuple[SLSTMState, Array, Array]:
    """Back through `combine`, with da for the gradient of what enters a gate; i, f, c and n as they are kept.

    δc = dc + dh ⊙ o / n,    δn = dn - dh ⊙ o ⊙ c / n²,    dc_{t-1} = f ⊙ δc,    dn_{t-1} = f ⊙ δn
    δm = dm - dc ⊙ c - dn ⊙ n, for log i where that is m, else for log f + m_{t-1}
    da_i = (δc ⊙ g + δn) ⊙ i + δm,    da_f = ((δc ⊙ c_{t-1} + δn ⊙ n_{t-1}) ⊙ f + δm) ⊙ (1 - σ(a_f))
    da_g = δc ⊙ i ⊙ (1 - g²),    da_o = dh ⊙ c / n ⊙ o(1 - o)
    """
    enter, keep, candidate, output, forgets, takes = saved
    normalizer = jnp.where(state.normalizer == 0, 1, state.normalizer)  # 0 where no step has counted yet
    shown = state.cell / normalizer
    d_shown = d_state.hidden * output / normalizer
    d_memory, d_normalizer = d_state.cell + d_shown, d_state.normalizer - d_shown * shown
    d_stabilizer = d_state.stabilizer - d_state.cell * state.cell - d_state.normalizer * state.normalizer
    d_keep = (d_memory * previous.cell + d_normalizer * previous.normalizer) * keep
    d_log_keep = jnp.where(previous.normalizer == 0, 0, d_keep) + jnp.where(takes, 0, d_stabilizer)
    da = jnp.concatenate(
        [
            (d_memory * candidate + d_normalizer) * enter + jnp.where(takes, d_stabilizer, 0),
            d_log_keep * forgets,
            d_memory * enter * (1 - candidate * candidate),
            d_state.hidden * shown * output * (1 - output),
        ],
        axis=-1,
    )
    before = SLSTMState(jnp.zeros_like(keep), keep * d_memory, keep * d_normalizer, d_log_keep)
    return before, da, da


def weight_gradients(x: Array, hidden: Array, dz: Array, dm: Array) -> SLSTMParams:
    """Gradients of the weights; here dm is dz."""
    return SLSTMParams(kernel_gradient(x, dz), kernel_gradient(hidden, dm), dz.sum(axis=0))


SLSTM = Cell(
    init,
    initial_state,
    affine,
    advance,
    Fusion(mix, combine, gradients, weight_gradients),
    gates=gates,
    free_state=False,
)
