"""The LSTM of cuDNN, NVIDIA's library, in the signature of every other unroll."""

from collections.abc import Callable
from functools import cache, partial
from typing import Any

import jax
import jax.numpy as jnp
from jax.experimental import rnn
from jax.typing import ArrayLike

from rnn_jax.cells import LSTM
from rnn_jax.cells.cell import Array, Cell, Params, State, product_precision
from rnn_jax.cells.lstm import LSTMParams, LSTMState
from rnn_jax.unroll.arguments import Arguments, check_arguments
from rnn_jax.unroll.fused import fused
from rnn_jax.unroll.sequence import Lengths, Unrolled
from rnn_jax.unroll.steps import clip_inputs, own_steps_reversed, valid_steps

LOW = ("bfloat16", "default", "fastest")  # precisions of products that JAX refuses with cuDNN


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

    Elsewhere, for other cells, in other types than float32, with products in bfloat16, and with resets,
    `fused` does the same; so it does in a program that is compiled where there is no GPU, whatever for.
    Products are rounded to TF32 unless `jax.default_matmul_precision("highest")` is set. Neither `vmap` nor
    second derivatives: JAX says so. GRUs and bfloat16, which cuDNN has, are missing in JAX
    (https://github.com/jax-ml/jax/issues/18867). A layer of both directions is one call of cuDNN
    (`run_layer`). Layers are called one by one, since dropout and what a dense stack reads lie between them.

    Example:
        >>> params = LSTM.init(jax.random.key(0), input_size=3, hidden_size=4)
        >>> cudnn(LSTM, params, jnp.ones((2, 5, 3))).outputs.shape
        (2, 5, 4)
    """
    arguments = check_arguments(cell, params, x, lengths, initial_state, resets)
    elsewhere = lambda arguments: fused(cell, *arguments, reverse=reverse)  # noqa: E731
    return _choose(cell, arguments, partial(_run, reverse), elsewhere)(arguments)


def both_cudnn(cell: Cell, forward: Arguments, backward: Arguments) -> tuple[Unrolled, Unrolled]:
    """Runs a cell forward and one backward by one call, over the same inputs, of parameters of one size."""

    def elsewhere(forward: Arguments, backward: Arguments) -> tuple[Unrolled, Unrolled]:
        return fused(cell, *forward), fused(cell, *backward, reverse=True)

    return _choose(cell, forward, _call, elsewhere)(forward, backward)


def _choose(
    cell: Cell, arguments: Arguments, on_gpu: Callable[..., Any], elsewhere: Callable[..., Any]
) -> Callable[..., Any]:
    """The one for NVIDIA GPUs where a program is compiled for one and cuDNN can run these arguments."""
    batch, time, _ = arguments.x.shape
    known = cell is LSTM and arguments.x.dtype == jnp.float32 and product_precision() not in LOW
    if not known or batch * time == 0 or arguments.resets is not None or not is_there():
        return elsewhere
    # Chosen when the program is compiled, for whatever it is compiled for.
    return partial(jax.lax.platform_dependent, cuda=on_gpu, default=elsewhere)


@cache
def is_there() -> bool:
    """Whether this process has an NVIDIA GPU: JAX asks cuDNN how much memory it needs while it traces."""
    try:
        return bool(jax.devices("cuda"))
    except RuntimeError:
        return False


def _run(reverse: bool, arguments: Arguments) -> Unrolled:
    if not reverse:
        return _call(arguments)[0]
    lengths = _lengths(arguments)
    found = _call(arguments._replace(x=own_steps_reversed(arguments.x, lengths)))[0]
    return found._replace(outputs=own_steps_reversed(found.outputs, lengths))


def _call(*halves: Arguments) -> tuple[Unrolled, ...]:
    """One call of cuDNN: a layer of one direction, or halves forward and backward that read the same."""
    lengths, x = _lengths(halves[0]), halves[0].x
    valid = valid_steps(lengths, x.shape[1])
    outputs, hidden, memory = rnn.lstm(
        jnp.where(valid, clip_inputs(x), 0),
        jnp.stack([half.initial_state.hidden for half in halves]),
        jnp.stack([half.initial_state.cell for half in halves]),
        pack(*(half.params for half in halves)),
        jnp.maximum(lengths, 1),  # cuDNN knows no empty sequences
        x.shape[2],
        halves[0].params.hidden_size,
        1,
        0.0,
        len(halves) == 2,
    )
    outputs_of = jnp.split(jnp.where(valid, outputs, 0), len(halves), axis=-1)
    empty = lengths[:, None] == 0
    states = [
        LSTMState(
            jnp.where(empty, half.initial_state.hidden, h), jnp.where(empty, half.initial_state.cell, c)
        )
        for half, h, c in zip(halves, hidden, memory, strict=True)
    ]
    return tuple(map(Unrolled, outputs_of, states))


def _lengths(arguments: Arguments) -> Array:
    batch, time, _ = arguments.x.shape
    return jnp.full(batch, time, jnp.int32) if arguments.lengths is None else arguments.lengths


def pack(*directions: LSTMParams) -> Array:
    """The weights as cuDNN wants them, in one vector: Wᵀ and Uᵀ of each direction, then the biases of each.

    Of each direction there is a second bias, which is zero.
    """
    kernels = [kernel.T for params in directions for kernel in (params.input_kernel, params.recurrent_kernel)]
    biases = [bias for params in directions for bias in (params.bias, jnp.zeros_like(params.bias))]
    return jnp.concatenate([array.ravel() for array in kernels + biases])
