"""The arguments of an unroll: checked, of one type, and complete, in one place for all unrolls."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike

from rnn_jax.cells.cell import Array, Cell, Params, State
from rnn_jax.unroll.sequence import Lengths


class Arguments(NamedTuple):
    """The arguments of an unroll, checked: all floating-point numbers are of one type."""

    params: Params
    x: Array  # [B, T, D]
    lengths: Array | None  # int32 [B], from 0 to T
    initial_state: State  # [B, H] each
    resets: Array | None  # bool [B, T]


def check_arguments(
    cell: Cell,
    params: Params,
    x: Array,
    lengths: Lengths | None,
    initial_state: State | None,
    resets: ArrayLike | None,
) -> Arguments:
    """The arguments of an unroll in one type and complete; see `Unroll` for arguments and errors."""
    x = jnp.asarray(x)
    if x.ndim != 3 or jnp.issubdtype(x.dtype, jnp.complexfloating):
        raise ValueError(f"an unroll takes real inputs [B, T, D], got {x.dtype} {x.shape}")
    batch, time, _ = x.shape
    counted = None if lengths is None else check_lengths(lengths, batch, time)
    if initial_state is None:
        initial_state = cell.initial_state(params, (batch,))
    else:
        _check_state(initial_state, jax.eval_shape(lambda p: cell.initial_state(p, (batch,)), params))
    params, x, initial_state = _promote((params, x, initial_state))
    begun = None if resets is None else _check_resets(resets, batch, time)
    return Arguments(*vary_alike((params, x, counted, initial_state, begun)))


def check_lengths(lengths: Lengths, batch: int, time: int) -> Array:
    """Lengths of B sequences of at most T steps as int32 `[B]`; traced ones are clipped to 0 … T.

    Raises:
        ValueError: if they are not integers `[B]`, or one that can be looked at is not from 0 to T.
    """
    counts = lengths if isinstance(lengths, jax.Array) else np.asarray(lengths)
    # An empty list has the type of numbers with a point.
    if counts.shape != (batch,) or not (jnp.issubdtype(counts.dtype, jnp.integer) or batch == 0):
        raise ValueError(f"lengths must be integers [{batch}], got {counts.dtype} {counts.shape}")
    if isinstance(counts, jax.core.Tracer) or not getattr(counts, "is_fully_addressable", True):
        if counts.dtype.itemsize < 4:  # T may be too large for such a type
            counts = counts.astype(jnp.int32)
        return jnp.clip(counts, 0, time).astype(jnp.int32)
    values = np.asarray(counts)
    wrong = (values < 0) | (values > time)
    if wrong.any():
        row = int(wrong.argmax())
        raise ValueError(f"lengths must be from 0 to T = {time}, but lengths[{row}] is {values[row]}")
    return jnp.asarray(counts, jnp.int32)


def _check_resets(resets: ArrayLike, batch: int, time: int) -> Array:
    """Raises ValueError unless resets are booleans `[B, T]`."""
    begun = resets if isinstance(resets, jax.Array) else np.asarray(resets)
    if begun.shape != (batch, time) or begun.dtype != bool:
        raise ValueError(f"resets must be booleans [{batch}, {time}], got {begun.dtype} {begun.shape}")
    return jnp.asarray(begun)


def _check_state(state: State, expected: State) -> None:
    """Raises ValueError unless a state has the structure and the shapes of the one expected."""
    shapes, wanted = (jax.tree.map(jnp.shape, tree) for tree in (state, expected))
    if type(state) is not type(expected) or shapes != wanted:
        raise ValueError(f"the initial state must be of the shapes {wanted}, got {shapes}")


def _promote(tree: tuple[Params, Array, State]) -> tuple[Params, Array, State]:
    """All floating-point numbers, and x, in the type that JAX promotes them to; counters and keys stay."""
    params, x, state = tree
    is_floating = lambda a: hasattr(a, "dtype") and jnp.issubdtype(a.dtype, jnp.floating)  # noqa: E731
    kind = jnp.result_type(x, *filter(is_floating, jax.tree.leaves((params, state))))
    cast = lambda a: jnp.asarray(a, kind) if is_floating(a) else a  # noqa: E731
    return jax.tree.map(cast, params), x.astype(kind), jax.tree.map(cast, state)


def vary_alike(tree: Any) -> Any:
    """Inside `jax.shard_map`, all arrays vary over the axes that any of them varies over.

    The carry of a scan must vary over the same axes before and after a step, and zeros vary over none.
    """
    leaves, structure = jax.tree.flatten(tree)
    axes = frozenset().union(*(_axes(leaf) for leaf in leaves))
    if not axes:
        return tree

    def vary(leaf: Any) -> Any:
        missing = tuple(axes - _axes(leaf))
        return jax.lax.pcast(leaf, missing, to="varying") if missing else leaf

    return jax.tree.unflatten(structure, map(vary, leaves))


def _axes(leaf: Any) -> frozenset[Any]:
    """The axes of the mesh over which an array varies inside `jax.shard_map`."""
    axes: frozenset[Any] = jax.typeof(leaf).manual_axis_type.varying
    return axes
