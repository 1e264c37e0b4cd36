"""How long a language model takes to write."""

import time
from collections.abc import Sequence

from rnn_jax.tasks.generator import Generator


def generation_seconds(generator: Generator, lengths: Sequence[int], turns: int) -> dict[int, list[float]]:
    """Seconds to write texts of some lengths in tokens, a figure a turn: each length once, and again."""
    generator(length=2)  # compiles
    seconds: dict[int, list[float]] = {length: [] for length in lengths}
    for _ in range(turns):
        for length in lengths:
            start = time.perf_counter()
            generator(length=length)
            seconds[length].append(time.perf_counter() - start)
    return seconds
