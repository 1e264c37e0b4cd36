"""Cells around cells: what they have in common.

Their parameters hold the cell's own as `params`, and something beside them.
"""

from typing import Any

from rnn_jax.cells.cell import Array, Cell, Params, State


def wrap(cell: Cell, **changes: Any) -> Cell:
    """The cell for parameters that hold its own as `params`; the changes are those of `Cell._replace`."""
    inner, advance_all, gates = cell.fusion, cell.advance_all, cell.gates
    fusion = inner and inner._replace(
        mix=lambda params, state: inner.mix(params.params, state),
        mask_hidden=lambda params, hidden: inner.mask_hidden(params.params, hidden),
        clip_gradient=lambda params, d_state: inner.clip_gradient(params.params, d_state),
    )
    return Cell(
        cell.init,
        lambda params, batch_shape: cell.initial_state(params.params, batch_shape),
        lambda params, x: cell.project(params.params, x),
        lambda params, state, z: cell.advance(params.params, state, z),
        fusion,
        advance_all and (lambda params, *arguments: advance_all(params.params, *arguments)),
        gates and (lambda params, *arguments: gates(params.params, *arguments)),
        cell.diagonal,
        cell.free_state,
    )._replace(**changes)


def innermost(params: Params) -> Params:
    """The parameters of the cell that all others are around."""
    return innermost(params.params) if hasattr(params, "params") else params


def gradient_of(params: Params, innermost_gradient: Params) -> Params:
    """The gradient of parameters of which only the innermost count."""
    if not hasattr(params, "params"):
        return innermost_gradient
    nothing = dict.fromkeys(params._fields)
    return type(params)(**nothing | {"params": gradient_of(params.params, innermost_gradient)})


def with_hidden(state: State, hidden: Array) -> State:
    """A state with another output; one that holds a cell's own state has it there, as `state`."""
    if hasattr(state, "state"):
        return state._replace(state=with_hidden(state.state, hidden))
    return state._replace(hidden=hidden)
