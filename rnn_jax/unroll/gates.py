"""The gates of a cell over a sequence, to look at."""

import jax

from rnn_jax.cells import CELLS
from rnn_jax.cells.cell import Array, Cell, Params
from rnn_jax.errors import UserError


def gates_over_time(cell: Cell, params: Params, x: Array) -> dict[str, Array]:
    """What each gate is at each step of one sequence: `x [T, D] -> {name: [T, H]}`.

    Raises:
        UserError: if the cell does not say what its gates are, naming the cells that do.
    """
    fusion = cell.fusion
    if fusion is None or not fusion.gates:
        known = [name for name, other in CELLS.items() if other.fusion is not None and other.fusion.gates]
        raise UserError(f"the gates of this cell are not known: train one of {', '.join(known)}")

    def step(state: object, z: Array) -> tuple[object, tuple[Array, ...]]:
        state, saved = fusion.combine(state, z, fusion.mix(params, state))
        return state, saved[: len(fusion.gates)]

    _, values = jax.lax.scan(step, cell.initial_state(params, ()), cell.project(params, x))
    return dict(zip(fusion.gates, values, strict=True))
