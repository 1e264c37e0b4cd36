"""The LSTM with a recurrent projection: a large memory, of which each step shows and reads a smaller image.

    i_t = σ(x_t W_i + h_{t-1} U_i + b_i)        input gate
    f_t = σ(x_t W_f + h_{t-1} U_f + b_f)        forget gate
    g_t = tanh(x_t W_g + h_{t-1} U_g + b_g)     candidate
    o_t = σ(x_t W_o + h_{t-1} U_o + b_o)        output gate
    c_t = f_t ⊙ c_{t-1} + i_t ⊙ g_t
    h_t = (o_t ⊙ tanh(c_t)) P,    y_t = h_t

Paper: H. Sak, A. Senior and F. Beaufays, "Long Short-Term Memory Recurrent Neural Network Architectures for
Large Scale Acoustic Modeling", Interspeech 2014. Variant: without peephole connections and without a part of
the projection that is not recurrent, as in PyTorch (`proj_size`). What others call the hidden size is M, the
size of the memory; H is that of the outputs, and M is 4H where parameters are drawn.

Gate order in every packed array: i, f, g, o. Shapes: W `[D, 4M]`, U `[H, 4M]`, b `[4M]`, P `[M, H]`,
x_t `[..., D]`, c_t `[..., M]`, h_t `[..., H]`.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax.typing import DTypeLike

from rnn_jax.cells.cell import Array, Cell, affine, draw_weights, mix, product
from rnn_jax.cells.lstm import LSTMState

MEMORY = 4  # M / H


class ProjectedLSTMParams(NamedTuple):
    """Weights of an LSTM with a projection, packed in the order i, f, g, o."""

    input_kernel: Array  # W [D, 4M]
    recurrent_kernel: Array  # U [H, 4M]
    bias: Array  # b [4M]
    projection: Array  # P [M, H]

    @property
    def hidden_size(self) -> int:
        """H."""
        return self.projection.shape[-1]


def init(
    key: Array, input_size: int, hidden_size: int, dtype: DTypeLike = jnp.float32
) -> ProjectedLSTMParams:
    """Draws parameters: W Glorot-uniform in pieces of H units, b zero but 1 for the forget gate.

    The rows of U are orthonormal for each gate, and so are the columns of P: what goes from memory to memory
    through both does not grow.

    Raises:
        ValueError: if a size is below 1.
    """
    kernel_key, projection_key = jax.random.split(key)
    memory = MEMORY * hidden_size
    kernel, recurrent, bias = draw_weights(kernel_key, input_size, hidden_size, 4 * MEMORY, dtype)
    recurrent /= MEMORY**0.5  # as many orthogonal matrices side by side
    draw = jax.nn.initializers.orthogonal()
    projection = draw(projection_key, (memory, hidden_size), jnp.float32).astype(dtype)
    return ProjectedLSTMParams(kernel, recurrent, bias.at[memory : 2 * memory].set(1.0), projection)


def initial_state(params: ProjectedLSTMParams, batch_shape: tuple[int, ...]) -> LSTMState:
    """A state of zeros in the type of the parameters: h `[*batch_shape, H]`, c `[*batch_shape, M]`."""
    memory, hidden = params.projection.shape
    dtype = params.bias.dtype
    return LSTMState(jnp.zeros((*batch_shape, hidden), dtype), jnp.zeros((*batch_shape, memory), dtype))


def advance(params: ProjectedLSTMParams, state: LSTMState, z: Array) -> tuple[LSTMState, Array]:
    """The gates and the new state: `z [..., 4M] -> (state, y [..., H])`."""
    a_i, a_f, a_g, a_o = jnp.split(z + mix(params, state), 4, axis=-1)
    memory = jax.nn.sigmoid(a_f) * state.cell + jax.nn.sigmoid(a_i) * jnp.tanh(a_g)
    hidden = product(jax.nn.sigmoid(a_o) * jnp.tanh(memory), params.projection)
    return LSTMState(hidden, memory), hidden


PROJECTED_LSTM = Cell(init, initial_state, affine, advance)
