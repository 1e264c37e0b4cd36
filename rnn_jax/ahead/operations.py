"""How much work a program is, counted from the shapes in it: the compiler need not be asked.

Counted are matrix products and convolutions, which are nearly all operations of a network, and what they read
and write; a multiplication and an addition are two operations. What is in the body of a scan counts once for
each of its steps; in the body of another loop, of which nobody knows how often it runs, once.
"""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from jax.extend import core


@dataclass(frozen=True, order=True)
class Work:
    """The work of a program, or of one device's part of it."""

    operations: int = 0
    bytes: int = 0  # of factors and products; fewer come from memory where something stays in a cache

    def __add__(self, other: "Work") -> "Work":
        return Work(self.operations + other.operations, self.bytes + other.bytes)

    def __mul__(self, times: int) -> "Work":
        return Work(self.operations * times, self.bytes * times)


def count(jaxpr: core.Jaxpr, platform: str = "cpu") -> Work:
    """The work of a program, as `jax.make_jaxpr` or `trace` gives it, on a platform: cpu, cuda or tpu.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> square = jax.make_jaxpr(lambda a: a @ a)(jnp.ones((8, 8)))
        >>> count(square.jaxpr)
        Work(operations=1024, bytes=768)
    """
    return sum((_count(equation, platform) for equation in jaxpr.eqns), Work())


def _count(equation: core.JaxprEqn, platform: str) -> Work:
    name, params = equation.primitive.name, equation.params
    arrays: list[Any] = [each.aval for each in (*equation.invars, *equation.outvars)]
    if name in ("dot_general", "conv_general_dilated"):
        left, right, product = arrays
        if name == "dot_general":
            (contracted, _), _ = params["dimension_numbers"]
            depth = math.prod(left.shape[axis] for axis in contracted)
        else:  # of a feature: its inputs, in all of its places
            depth = right.size // right.shape[params["dimension_numbers"].rhs_spec[0]]
        moved = sum(array.size * array.dtype.itemsize for array in arrays)
        return Work(2 * depth * product.size, moved)
    parts = [count(inner, platform) for inner in _inner(params.values())]
    if name == "cond":
        if (platforms := params.get("branches_platforms")) is not None:  # chosen when it is compiled
            own = [number for number, each in enumerate(platforms) if each is None or platform in each]
            return parts[min(own, key=lambda number: platforms[number] is None)]
        return max(parts)
    return sum(parts, Work()) * (params["length"] if name == "scan" else 1)


def _inner(values: Iterable[Any]) -> Iterator[core.Jaxpr]:
    """The programs among the parameters of an instruction."""
    for value in values:
        if isinstance(value, core.Jaxpr):
            yield value
        elif isinstance(value, core.ClosedJaxpr):
            yield value.jaxpr
        elif isinstance(value, tuple | list):
            yield from _inner(value)
