"""The gates of a cell over a sequence, to look at."""

import jax

from rnn_jax.cells import CELLS
from rnn_jax.cells.cell import Array, Cell, Params, State
from rnn_jax.errors import UserError

GATED = tuple(name for name, cell in CELLS.items() if cell.gates is not None)


def gates_over_time(cell: Cell, params: Params, x: Array) -> dict[str, Array]:
    """What each gate is at each step of one sequence: `x [T, D] -> {name: [T, H]}`.

    Raises:
        UserError: if the cell has no gates, naming the cells that have.
    """
    if cell.gates is None:
        raise UserError(f"this cell has no gates: train one of {', '.join(GATED)}")

    def step(state: State, z: Array) -> tuple[State, State]:
        return cell.advance(params, state, z)[0], state

    z = cell.project(params, x)
    _, states = jax.lax.scan(step, cell.initial_state(params, ()), z)
    return cell.gates(params, states, z)
