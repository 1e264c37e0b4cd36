"""What a compiler has made of a program, read from its text: loops, launches, collectives, estimated cycles.

The text is that of `jax.stages.Compiled.as_text()`: computations, each a list of instructions, of which a
loop names two others, its body and its condition.
"""

import math
import re
from collections.abc import Iterator
from typing import NamedTuple

BYTES = {"pred": 1, "s4": 1, "u4": 1, "s8": 1, "u8": 1, "s16": 2, "u16": 2, "f16": 2, "bf16": 2}
BYTES |= {"s32": 4, "u32": 4, "f32": 4, "s64": 8, "u64": 8, "f64": 8, "c64": 8, "c128": 16}
COLLECTIVES = ("all-reduce", "all-gather", "reduce-scatter", "all-to-all", "collective-permute")
# What a device is told to do, one after the other; all else arranges, or happens within these.
LAUNCHED = {
    *("fusion", "custom-call", "dot", "convolution", "copy", "reduce", "scatter", "gather", "sort"),
    *("dynamic-update-slice", "dynamic-slice", "transpose", "concatenate", "rng-bit-generator"),
}
HEADER = re.compile(r"(?:ENTRY )?%?([\w.\-]+) \(.*\{$")
OPERATION = re.compile(r"([a-z][\w\-]*)\(")
ARRAY = re.compile(r"\b([a-z]+\d*)\[([\d,]*)\]")


class Instruction(NamedTuple):
    """A line of a computation."""

    shape: str
    operation: str
    rest: str  # operands, and what else is said


class Loop(NamedTuple):
    """A loop that holds no other."""

    trips: int
    launches: int  # in each trip


class Collective(NamedTuple):
    """What devices do together: once a step, or in every trip of a loop."""

    operation: str
    bytes: int
    times: int


class Text(NamedTuple):
    """A compiled program."""

    computations: dict[str, list[Instruction]]
    entry: str

    def loops(self) -> list[Loop]:
        """The innermost loops."""
        return [
            Loop(trips, self._launched(body))
            for body, trips, _ in self._bodies()
            if not any(each.operation == "while" for each in self.computations[body])
        ]

    def launches(self) -> int:
        """How often something is launched, in all."""
        return sum(times * self._launched(name) for name, times in self._times().items())

    def collectives(self) -> list[Collective]:
        """All of them, the largest first."""
        found = []
        for name, times in self._times().items():
            for each in self.computations[name]:
                kind = each.operation.removesuffix("-done")  # whose shape is that of the result alone
                if kind in COLLECTIVES:
                    found.append(Collective(kind, bytes_of(each.shape), times))
        return sorted(found, key=lambda each: -each.bytes * each.times)

    def cycles(self) -> int | None:
        """The compiler's estimate of all cycles, if it gives one: of one instruction after the other."""
        total = 0
        for name, times in self._times().items():
            for each in self.computations[name]:
                if match := re.search(r'"estimated_cycles":"(\d+)"', each.rest):
                    total += times * int(match[1])
        return total or None

    def _launched(self, name: str) -> int:
        return sum(each.operation in LAUNCHED for each in self.computations[name])

    def _times(self) -> dict[str, int]:
        """How often each computation runs that is no part of a single instruction."""
        times = {self.entry: 1}
        for body, _, all_trips in self._bodies():
            times[body] = times.get(body, 0) + all_trips
        return times

    def _bodies(self, name: str | None = None, times: int = 1) -> Iterator[tuple[str, int, int]]:
        """The bodies of all loops: name, trips, and trips times those of the loops around it."""
        for each in self.computations[name or self.entry]:
            if each.operation == "while":
                body = re.search(r"body=%?([\w.\-]+)", each.rest)
                assert body is not None
                trips = self._trips(each)
                yield body[1], trips, times * trips
                yield from self._bodies(body[1], times * trips)

    def _trips(self, loop: Instruction) -> int:
        """How often a loop runs; 1 where its condition compares with no constant."""
        if match := re.search(r'"known_trip_count":\{"n":"(\d+)"', loop.rest):
            return int(match[1])
        condition = re.search(r"condition=%?([\w.\-]+)", loop.rest)
        assert condition is not None
        constants = [
            int(match[1])
            for each in self.computations[condition[1]]
            if each.operation == "constant" and (match := re.match(r"(\d+)\)", each.rest))
        ]
        return max(constants, default=1)


def parse(text: str) -> Text:
    """Reads the text of a compiled program."""
    computations: dict[str, list[Instruction]] = {}
    entry, current = "", []
    for line in text.splitlines():
        if line.startswith("  "):
            if (own := _instruction(line)) is not None:
                current.append(own)
        elif match := HEADER.match(line):
            current = computations[match[1]] = []
            if line.startswith("ENTRY"):
                entry = match[1]
    return Text(computations, entry)


def _instruction(line: str) -> Instruction | None:
    _, equals, said = line.partition(" = ")
    if not equals:
        return None
    end = _end_of_tuple(said) if said.startswith("(") else said.index(" ")
    match = OPERATION.match(said, end + 1)
    return Instruction(said[:end], match[1], said[match.end() :]) if match else None


def _end_of_tuple(said: str) -> int:
    """Where the shape of a tuple ends, which holds tuples and layouts in parentheses."""
    depth = 0
    for place, sign in enumerate(said):
        depth += (sign == "(") - (sign == ")")
        if depth == 0:
            return place + 1
    return len(said)


def bytes_of(shape: str) -> int:
    """The size of an array, or of all in a tuple."""
    return sum(
        BYTES.get(kind, 0) * math.prod(int(size) for size in sizes.split(",") if size)
        for kind, sizes in ARRAY.findall(shape)
    )
