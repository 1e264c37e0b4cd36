"""What a recurrent cell is, for everything that unrolls one.

A cell is a record of pure functions. `advance` holds what must run step by step; `project` holds what
does not depend on the state and may therefore be computed for all steps at once. `step` is the two
together, in the shape that `jax.lax.scan` wants.

Axes, here and everywhere: B batch, T time, D input, H hidden, V vocabulary, E embedding. The functions of
a cell take any leading axes, written `...`; parameters have none.
"""

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

import jax
import jax.numpy as jnp
from jax.typing import DTypeLike

Array = jax.Array
Params = Any  # a NamedTuple of arrays with a property `hidden_size`, one type a family of cells
State = Any  # a NamedTuple of arrays, [..., H] unless the cell says otherwise


class Fusion(NamedTuple):
    """A step as one product and what is done element by element, with its derivatives by hand.

    `advance(params, state, z)` is `combine(state, z, mix(params, state))`. Written so, the backward pass
    needs only a small product a step, and weight gradients are large products over many (`unroll/fused.py`).

    The backward pass multiplies by the transposes of two weights itself: `project` must be x W, with W
    `params.input_kernel`, plus what does not depend on x; and `mix` h U, with U `params.recurrent_kernel`.
    Of parameters that hold a cell's and more (`rnn_jax.cells.wrapped`), these are those of the cell.

    Attributes:
        mix: `(params, state) -> m [..., G*H]`: h U, where h is `state.hidden`, which is also the output;
            beside it may be more for `combine` that does not depend on the state.
        combine: `(state, z, m) -> (state, saved)`, and what `gradients` wants to know of the step.
        gradients: `(saved, previous, state, d_state) -> (d_previous, dz, dm)`, the gradients of a step's
            arguments but for what passes through `mix`. They are products with 0 where `d_state` is 0.
        weight_gradients: `(x [N, D], hidden [N, H], dz [N, G*H], dm [N, G*H]) -> params`, summed over N steps
            of any sequences; `hidden` is what `mix` has multiplied by U.
        mask_hidden: `(params, hidden [..., H]) -> [..., H]`: what `mix` multiplies by U, linear, unit by
            unit; h itself by default.
        clip_gradient: `(params, d_state) -> d_state`: what of the gradient of the state before a step is
            passed on; all of it by default.
    """

    mix: Callable[[Params, State], Array]
    combine: Callable[[State, Array, Array], tuple[State, Any]]
    gradients: Callable[[Any, State, State, State], tuple[State, Array, Array]]
    weight_gradients: Callable[[Array, Array, Array, Array], Params]
    mask_hidden: Callable[[Params, Array], Array] = lambda params, hidden: hidden
    clip_gradient: Callable[[Params, State], State] = lambda params, d_state: d_state


class Restarts(NamedTuple):
    """Where `advance_all` begins anew, and from what."""

    steps: Array  # bool [T, ..., 1]: whether a step runs from `state`
    state: State  # [..., H], or the part of it that a recurrence reads


AdvanceAll = Callable[[Params, State, Array, Restarts | None], tuple[State, Array]]


def at_least_float32(a: Array) -> Array:
    """The array in float32, if its type is narrower: a decay near 1 would be rounded to it."""
    return a.astype(jnp.promote_types(a.dtype, jnp.float32))


class Init(Protocol):
    """What draws a cell's parameters."""

    def __call__(
        self, key: Array, input_size: int, hidden_size: int, dtype: DTypeLike = jnp.float32
    ) -> Params:
        """Draws parameters of one type.

        Raises:
            ValueError: if a size is below 1.
        """


class Cell(NamedTuple):
    """A recurrent cell as pure functions.

    Attributes:
        init: `(key, input_size, hidden_size, dtype=float32) -> params`, all of them of that type. They are
            drawn in float32, so that `jax_enable_x64` changes none.
        initial_state: `(params, batch_shape) -> state [*batch_shape, H]`, zeros in the parameters' type.
        project: `(params, x [..., D]) -> z [..., G*H]`, everything that does not depend on the state.
        advance: `(params, state, z) -> (state, y [..., H])`, the part that must be sequential.
        fusion: `advance` in pieces, for cells that can be taken apart so; None for others.
        advance_all: `(params, state, z [T, ..., G*H], restarts) -> (states [T, ...], y [T, ..., H])`,
            `advance` for all steps at once, for cells that are linear in their state; None for others.
        gates: `(params, state, z) -> {name: [..., H]}`, the gates of a step and its candidate, to look at;
            None where there are none, or not one for each unit of the output.
        diagonal: whether no unit of a state sees another unit of the state before, nor another array of it:
            whether the Jacobian of a step is diagonal.
        free_state: whether any numbers make a state of it, so that states may be mixed, learnt or worked out:
            those of an sLSTM are in units that one of them gives.
    """

    init: Init
    initial_state: Callable[[Params, tuple[int, ...]], State]
    project: Callable[[Params, Array], Array]
    advance: Callable[[Params, State, Array], tuple[State, Array]]
    fusion: Fusion | None = None
    advance_all: AdvanceAll | None = None
    gates: Callable[[Params, State, Array], dict[str, Array]] | None = None
    diagonal: bool = False
    free_state: bool = True

    def step(self, params: Params, state: State, x: Array) -> tuple[State, Array]:
        """One step: `(params, state, x [..., D]) -> (state, y [..., H])`."""
        return self.advance(params, state, self.project(params, x))


class HiddenState(NamedTuple):
    """What a cell remembers that remembers its output alone."""

    hidden: Array  # h [..., H]


def zero_hidden(params: Params, batch_shape: tuple[int, ...]) -> HiddenState:
    """A state of zeros, `[*batch_shape, H]`, in the type of the parameters."""
    return HiddenState(jnp.zeros((*batch_shape, params.hidden_size), params.bias.dtype))


def affine(params: Params, x: Array) -> Array:
    """`x W + b`: `[..., D] -> [..., G*H]`."""
    return product(x, params.input_kernel) + params.bias


def mix(params: Params, state: State) -> Array:
    """`h U`: what the state adds to the gates, `[..., G*H]`."""
    return product(state.hidden, params.recurrent_kernel)


def product_precision() -> str | None:
    """What `jax.default_matmul_precision` is set to, here and now."""
    config: Any = jax.config  # whose names are typed in later versions only
    return config.jax_default_matmul_precision


def product(x: Array, kernel: Array) -> Array:
    """`x @ kernel` in the precision of `jax.default_matmul_precision`: the product of every cell.

    With "bfloat16", factors are rounded to bfloat16 (8 bits) and their products added up in the type of x,
    whatever the platform; JAX alone takes no notice of that setting on a CPU.
    """
    if product_precision() != "bfloat16":
        return x @ kernel
    sums = jnp.result_type(x, kernel)
    return jnp.matmul(x.astype(jnp.bfloat16), kernel.astype(jnp.bfloat16), preferred_element_type=sums)


def transpose(matrix: Array) -> Array:
    """`matrix.T`, for a factor of `product`: `[M, N] -> [N, M]`.

    With "bfloat16" it is rounded, and on a CPU a copy: products there take twice as long where a factor does
    not lie in memory row by row. XLA undoes a copy that it can see through; a loop of one turn, of which no
    compiler knows that it is one, it leaves alone.
    """
    if product_precision() != "bfloat16":
        return matrix.T

    def view(matrix: Array) -> Array:
        return matrix.T.astype(jnp.bfloat16)

    def copy(matrix: Array) -> Array:
        turns = 1 + jnp.isnan(matrix[0, 0]).astype(jnp.uint32)  # another turn would do no harm
        return jax.lax.fori_loop(jnp.uint32(0), turns, lambda *_: view(matrix), jnp.zeros_like(view(matrix)))

    return jax.lax.platform_dependent(matrix, cpu=copy, default=view)


def kernel_gradient(x: Array, d: Array) -> Array:
    """The gradient of W, of which `x W` has the gradient d, summed over N: `[N, D], [N, G] -> [D, G]`."""
    return product(transpose(x), d)


def input_kernel(key: Array, input_size: int, hidden_size: int, gates: int, dtype: DTypeLike) -> Array:
    """Glorot-uniform input weights `[D, gates*H]`, each gate drawn as a matrix of its own `[D, H]`."""
    draw = jax.nn.initializers.glorot_uniform()
    keys = jax.random.split(key, gates)
    return jnp.concatenate([draw(k, (input_size, hidden_size), jnp.float32) for k in keys], axis=1).astype(
        dtype
    )


def recurrent_kernel(key: Array, hidden_size: int, gates: int, dtype: DTypeLike) -> Array:
    """Orthogonal recurrent weights `[H, gates*H]`, each gate an orthogonal matrix of its own `[H, H]`.

    An orthogonal matrix keeps the length of what it carries from step to step (Saxe et al., 2014,
    arXiv:1312.6120).
    """
    draw = jax.nn.initializers.orthogonal()
    keys = jax.random.split(key, gates)
    return jnp.concatenate([draw(k, (hidden_size, hidden_size), jnp.float32) for k in keys], axis=1).astype(
        dtype
    )


def draw_weights(
    key: Array, input_size: int, hidden_size: int, gates: int, dtype: DTypeLike
) -> tuple[Array, Array, Array]:
    """W Glorot-uniform, U orthogonal, gate by gate, and b zero.

    Raises:
        ValueError: if a size is below 1.
    """
    check_sizes(input_size, hidden_size)
    input_key, recurrent_key = jax.random.split(key)
    return (
        input_kernel(input_key, input_size, hidden_size, gates, dtype),
        recurrent_kernel(recurrent_key, hidden_size, gates, dtype),
        jnp.zeros(gates * hidden_size, dtype),
    )


def check_sizes(input_size: int, hidden_size: int) -> None:
    """Raises ValueError unless both sizes are at least 1."""
    if input_size < 1 or hidden_size < 1:
        raise ValueError(
            f"a cell needs sizes of at least 1, got input_size={input_size}, hidden_size={hidden_size}"
        )
