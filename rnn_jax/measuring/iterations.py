"""How many iterations Newton's method takes over the steps of a sequence."""

from collections.abc import Iterator
from functools import cache
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from rnn_jax.cells import CELLS
from rnn_jax.cells.cell import Array, Cell, Params, State
from rnn_jax.data.memory_tasks import TASKS
from rnn_jax.measuring.memory import CHUNK, learn
from rnn_jax.measuring.memory import Case as Learning
from rnn_jax.seeds import make_key
from rnn_jax.unroll.newton import iterate

MAX_ITERATIONS = 500  # iterations


class Case(NamedTuple):
    """A layer over normal inputs, with recurrent weights of one size."""

    cell: str
    scale: float  # of the recurrent weights
    length: int
    seed: int
    hidden: int = 32
    batch: int = 4


def count_iterations(case: Case) -> dict[str, Any]:
    """Iterations for weights as they are drawn, but for those of the state, which are `scale` times as large.

    An SRU, whose weights of the state are zero at first, has normal ones of that standard deviation.
    """
    cell = CELLS[case.cell]
    key, more, inputs = jax.random.split(make_key(case.seed), 3)
    params = cell.init(key, case.hidden, case.hidden)
    if case.cell == "sru":
        drawn = jax.random.normal(more, params.cell_weights.shape)
        params = params._replace(cell_weights=case.scale * drawn)
    else:
        name = "recurrent_weights" if case.cell == "indrnn" else "recurrent_kernel"
        params = params._replace(**{name: case.scale * getattr(params, name)})
    x = jax.random.normal(inputs, (case.length, case.batch, case.hidden))
    return case._asdict() | _iterations(cell, params, x)


def count_over_training(learning: Learning) -> Iterator[dict[str, Any]]:
    """The same over training, before it and after every `CHUNK` steps: for inputs of what is learnt."""
    cell, task = CELLS[learning.cell], TASKS[learning.task]
    key = jax.random.fold_in(make_key(learning.seed), 1)
    x = jnp.swapaxes(task.draw(key, learning.batch, learning.length).inputs, 0, 1)
    for number, (reader, loss) in enumerate(learn(learning)):
        found = _iterations(cell, reader.layer, x)
        yield learning._asdict() | {"step": number * CHUNK, "loss": loss if number else None} | found


def _iterations(cell: Cell, params: Params, x: Array) -> dict[str, Any]:
    """Of a layer over inputs `[T, B, D]`."""
    _, iterations, converged = _solve(cell)(params, x)
    return {"iterations": int(iterations), "converged": bool(converged)}


@cache
def _solve(cell: Cell) -> Any:
    own = cell if cell.diagonal else diagonal_alone(cell)

    @jax.jit
    def solve(params: Params, x: Array) -> Any:
        state = cell.initial_state(params, (x.shape[1],))
        return iterate(own, params, state, cell.project(params, x), max_iterations=MAX_ITERATIONS)

    return solve


@cache
def diagonal_alone(cell: Cell) -> Cell:
    """The cell, with the derivatives of each unit of a state for itself alone.

    Newton's method with such a Jacobian is none: it takes more iterations, and may not end. That is an
    experiment; the derivatives, a product for each unit, cost more than the iterations.
    """

    @jax.custom_jvp
    def advance(params: Params, state: State, z: Array) -> State:
        return cell.advance(params, state, z)[0]

    def advance_jvp(values: tuple[Any, ...], changes: tuple[Any, ...]) -> tuple[State, State]:
        params, state, z = values

        def own(number: Array) -> State:
            """The derivative of one unit of each array for itself."""
            one = jax.tree.map(lambda s: jnp.zeros_like(s).at[..., number].set(1), state)
            step = lambda *leaves: cell.advance(params, type(state)(*leaves), z)[0]  # noqa: E731
            rates = [
                jax.jvp(
                    lambda leaf, place=place: step(*state[:place], leaf, *state[place + 1 :])[place],
                    (state[place],),
                    (one[place],),
                )[1][..., number]
                for place in range(len(state))
            ]
            return type(state)(*rates)

        rates = jax.lax.map(own, jnp.arange(params.hidden_size))
        rates = jax.tree.map(lambda rate: jnp.moveaxis(rate, 0, -1), rates)
        return advance(*values), jax.tree.map(jnp.multiply, rates, changes[1])

    advance.defjvp(advance_jvp)
    return cell._replace(advance=lambda *a: (advance(*a), a[1]), diagonal=True)
