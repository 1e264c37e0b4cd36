"""The LSTM of cuDNN, NVIDIA's library, in the signature of every other unroll."""

from functools import cache, partial

import jax
import jax.numpy as jnp
from jax.experimental import rnn
from jax.typing import ArrayLike

from rnn_jax.cells import LSTM
from rnn_jax.cells.cell import Array, Cell, Params, State
from rnn_jax.cells.lstm import LSTMParams, LSTMState
from rnn_jax.unroll.arguments import check_arguments
from rnn_jax.unroll.fused import fused
from rnn_jax.unroll.sequence import Lengths, Unrolled
from rnn_jax.unroll.steps import clip_inputs, own_steps_reversed, valid_steps


def cudnn(
    cell: Cell,
    params: Params,
    x: Array,
    lengths: Lengths | None = None,
    initial_state: State | None = None,
    resets: ArrayLike | None = None,
    *,
    reverse: bool = False,
) -> Unrolled:
    """Runs an LSTM by cuDNN on an NVIDIA GPU; see `Unroll` for arguments and errors.

    Elsewhere, for other cells, in other types than float32, and with resets, `fused` does the same; so it
    does in a program that is compiled where there is no GPU, whatever for. Products are rounded to TF32
    unless `jax.default_matmul_precision("highest")` is set. Neither `vmap` nor second derivatives: JAX says
    so. GRUs and bfloat16, which cuDNN has, are missing in JAX (https://github.com/jax-ml/jax/issues/18867).

    Example:
        >>> params = LSTM.init(jax.random.key(0), input_size=3, hidden_size=4)
        >>> cudnn(LSTM, params, jnp.ones((2, 5, 3))).outputs.shape
        (2, 5, 4)
    """
    arguments = check_arguments(cell, params, x, lengths, initial_state, resets)
    params, x, lengths, initial_state, resets = arguments
    batch, time, _ = x.shape
    elsewhere = partial(fused, cell, reverse=reverse)
    known = cell is LSTM and x.dtype == jnp.float32 and batch > 0 and time > 0 and resets is None
    if not known or not is_there():
        return elsewhere(*arguments)
    if lengths is None:
        lengths = jnp.full(batch, time, jnp.int32)
    # Chosen when the program is compiled, for whatever it is compiled for.
    return jax.lax.platform_dependent(
        params, x, lengths, initial_state, cuda=partial(_run, reverse), default=elsewhere
    )


@cache
def is_there() -> bool:
    """Whether this process has an NVIDIA GPU: JAX asks cuDNN how much memory it needs while it traces."""
    try:
        return bool(jax.devices("cuda"))
    except RuntimeError:
        return False


def _run(reverse: bool, params: LSTMParams, x: Array, lengths: Array, initial_state: LSTMState) -> Unrolled:
    valid = valid_steps(lengths, x.shape[1])
    x = jnp.where(valid, clip_inputs(x), 0)
    if reverse:
        x = own_steps_reversed(x, lengths)
    outputs, hidden, memory = rnn.lstm(
        x,
        initial_state.hidden[None],
        initial_state.cell[None],
        pack(params),
        jnp.maximum(lengths, 1),  # cuDNN knows no empty sequences
        x.shape[2],
        params.hidden_size,
        1,
        0.0,
        False,
    )
    if reverse:
        outputs = own_steps_reversed(outputs, lengths)
    empty = lengths[:, None] == 0
    state = LSTMState(
        jnp.where(empty, initial_state.hidden, hidden[0]), jnp.where(empty, initial_state.cell, memory[0])
    )
    return Unrolled(jnp.where(valid, outputs, 0), state)


def pack(params: LSTMParams) -> Array:
    """The weights as cuDNN wants them, in one vector: Wᵀ, Uᵀ, b, and a second bias, which is zero."""
    return jnp.concatenate(
        [
            params.input_kernel.T.ravel(),
            params.recurrent_kernel.T.ravel(),
            params.bias,
            jnp.zeros_like(params.bias),
        ]
    )
