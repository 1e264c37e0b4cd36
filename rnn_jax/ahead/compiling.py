"""A program compiled for an accelerator, and what its compiler says of it."""

import re
import time
from collections.abc import Callable
from typing import NamedTuple

from rnn_jax.ahead.hlo import Collective, Loop, parse
from rnn_jax.ahead.operations import Work, count
from rnn_jax.ahead.programs import Ahead
from rnn_jax.ahead.targets import Target
from rnn_jax.errors import UserError


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

    def exchanged(self) -> dict[str, int]:
        """Bytes that devices exchange, by how they do it."""
        found: dict[str, int] = {}
        for each in self.collectives:
            found[each.operation] = found.get(each.operation, 0) + each.bytes * each.times
        return found


class Refused(NamedTuple):
    """Why a program does not run: it needs more memory than there is, or the compiler cannot make it."""

    reason: str
    too_large: bool = True


def compile_ahead(program: Ahead, target: Target) -> Compiled | Refused:
    """Compiles a program for each device of a target."""
    traced = program.trace()
    lowered = traced.lower(lowering_platforms=(target.platform,))
    start = time.perf_counter()
    try:
        compiled = lowered.compile()
    except Exception as error:  # each compiler complains in its own way
        return Refused(_first_line(str(error)), "RESOURCE_EXHAUSTED" in str(error))
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
        count(traced.jaxpr.jaxpr, target.platform),
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


def largest_batch(
    try_out: Callable[[int], Compiled | Refused], first: int, least: int, most: int
) -> int | None:
    """The largest of first, twice first, four times first, … that fits, or of its halves; None if none does.

    Args:
        try_out: compiles for a batch.
        first: where to begin.
        least: where to stop below.
        most: where to stop above.

    Raises:
        UserError: if the compiler fails for another reason than memory.

    Example:
        >>> largest_batch(lambda batch: Refused("too large") if batch > 100 else None, 8, least=1, most=1000)
        64
    """

    def fits(batch: int) -> bool:
        found = try_out(batch)
        if isinstance(found, Refused) and not found.too_large:
            raise UserError(f"the compiler fails at a batch of {batch}: {found.reason}")
        return not isinstance(found, Refused)

    if fits(first):
        while 2 * first <= most and fits(2 * first):
            first *= 2
        return first
    smaller = first // 2
    while smaller >= least and not fits(smaller):
        smaller //= 2
    return smaller if smaller >= least else None
