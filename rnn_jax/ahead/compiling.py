"""A program compiled for an accelerator, and what its compiler says of it."""

import re
import time
from collections.abc import Callable
from typing import NamedTuple

from rnn_jax.ahead.hlo import Collective, Loop, parse
from rnn_jax.ahead.operations import Work, count
from rnn_jax.ahead.programs import Ahead
from rnn_jax.ahead.targets import Target


class Compiled(NamedTuple):
    """What a compiled program needs on each device.

    Attributes:
        seconds: that compiling took.
        arguments: bytes of what it is given, which results may replace.
        temporary: bytes of what is neither given nor returned.
        memory: bytes, of all.
        work: operations and bytes of products, from shapes.
        launches: how often something is launched.
        loops: the innermost loops, and what is launched in each of their trips.
        collectives: what is exchanged.
        cycles: the compiler's estimate; None where it gives none.
    """

    seconds: float
    arguments: int
    temporary: int
    memory: int
    work: Work
    launches: int
    loops: list[Loop]
    collectives: list[Collective]
    cycles: int | None


class Refused(NamedTuple):
    """Why a program does not run: it needs more memory than there is, or the compiler cannot."""

    reason: str


def compile_ahead(program: Ahead, target: Target) -> Compiled | Refused:
    """Compiles a program for each device of a target."""
    traced = program.trace()
    lowered = traced.lower(lowering_platforms=(target.platform,))
    start = time.perf_counter()
    try:
        compiled = lowered.compile()
    except Exception as error:  # each compiler complains in its own way
        return Refused(_first_line(str(error)))
    seconds = time.perf_counter() - start
    memory, text = compiled.memory_analysis(), parse(compiled.as_text())
    results = memory.output_size_in_bytes - memory.alias_size_in_bytes
    held = memory.argument_size_in_bytes + results + memory.generated_code_size_in_bytes
    whole = held + memory.temp_size_in_bytes
    if whole > target.memory:
        return Refused(
            f"needs {whole / 2**30:.1f} GiB a chip, and a {target.chip} has {target.memory / 2**30:.0f}"
        )
    return Compiled(
        seconds,
        memory.argument_size_in_bytes,
        memory.temp_size_in_bytes,
        whole,
        count(traced.jaxpr.jaxpr),
        text.launches(),
        text.loops(),
        text.collectives(),
        text.cycles(),
    )


def _first_line(words: str) -> str:
    """What a compiler complains of: how much memory is used of how much, or the beginning of what it says."""
    if match := re.search(r"[Uu]sed ([\d.]+[KMGT]?) of ([\d.]+[KMGT]?)", words):
        return f"needs {match[1]} bytes of memory a chip, of {match[2]} that there are"
    return " ".join(words.split())[:200]


def largest_batch(try_out: Callable[[int], Compiled | Refused], first: int, most: int) -> int | None:
    """The largest of first, twice first, four times first, … that compiles; or of its halves; None for none.

    Args:
        try_out: compiles for a batch.
        first: where to begin.
        most: where to stop.

    Example:
        >>> largest_batch(lambda batch: Refused("too large") if batch > 100 else None, first=8, most=1000)
        64
    """
    if isinstance(try_out(first), Refused):
        smaller = first // 2
        while smaller and isinstance(try_out(smaller), Refused):
            smaller //= 2
        return smaller or None
    while 2 * first <= most and not isinstance(try_out(2 * first), Refused):
        first *= 2
    return first
