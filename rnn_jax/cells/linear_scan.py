"""Recurrences that are linear in their state: all steps at once, in the time of log T of them.

    c_t = a_t ⊙ c_{t-1} + b_t

Two steps in a row are again such a step, (a_2 ⊙ a_1, a_2 ⊙ b_1 + b_2), whatever the state, so that steps can
be joined in any grouping: a tree of them has log₂ T levels (G. Blelloch, "Prefix Sums and Their
Applications", 1990; for networks, E. Martin and C. Cundy, "Parallelizing Linear Recurrent Neural Nets Over
Sequence Length", 2018, arXiv:1709.04057).
"""

import jax
import jax.numpy as jnp

from rnn_jax.cells.cell import Array, Restarts, State, at_least_float32


def linear_scan(factors: Array, addends: Array, initial: Array, restarts: Restarts | None = None) -> Array:
    """The states after every step: `a, b [T, ..., H], c_0 [..., H] -> c [T, ..., H]`; real or complex.

    A step that runs from another state c' than that before it, as `restarts` say, adds a_t ⊙ c' + b_t to
    nothing.
    """
    if len(addends) == 0:
        return addends
    if restarts is not None:
        addends = jnp.where(restarts.steps, factors * restarts.state + addends, addends)
        factors = jnp.where(restarts.steps, 0, factors)
    return _scan(factors, addends.at[0].add(factors[0] * initial))


def scan_states(factors: Array, addends: Array, initial: State, restarts: Restarts | None) -> State:
    """The same for a state of one array, in its type; worked out in float32 at least."""
    (memory,) = initial
    own = restarts and restarts._replace(state=restarts.state[0])
    states = linear_scan(at_least_float32(factors), at_least_float32(addends), memory, own)
    return type(initial)(states.astype(memory.dtype))


@jax.custom_jvp
def _scan(factors: Array, addends: Array) -> Array:
    """c_t from nothing: the first factor has no state to multiply."""

    def join(earlier: tuple[Array, Array], later: tuple[Array, Array]) -> tuple[Array, Array]:
        return later[0] * earlier[0], later[0] * earlier[1] + later[1]

    states: Array = jax.lax.associative_scan(join, (factors, addends))[1]
    return states


@_scan.defjvp
def _differentiate(values: tuple[Array, Array], changes: tuple[Array, Array]) -> tuple[Array, Array]:
    """dc_t = a_t ⊙ dc_{t-1} + (da_t ⊙ c_{t-1} + db_t): the same recurrence, and backward one more of them.

    Differentiated as it stands, a scan would keep the sums of all levels of its tree.
    """
    factors, addends = values
    d_factors, d_addends = changes
    states = _scan(factors, addends)
    before = jnp.concatenate([jnp.zeros_like(states[:1]), states])[:-1]
    return states, _scan(factors, d_factors * before + d_addends)
