"""Timing several things so that they can be compared, whatever else the machine does meanwhile."""

import time
from collections.abc import Callable, Mapping
from typing import Any

WARM_UPS = 3
ROUNDS = 5, 50  # at least, at most


def run_in_turns(runs: Mapping[str, Callable[[], Any]], budget: float) -> dict[str, list[float]]:
    """Seconds of every run, one of each in every round.

    There are as many rounds as the slowest fits into a budget of seconds, within `ROUNDS`. Each run must wait
    until its work is done. In its turn each runs twice, and the second time counts: in the first it pays for
    what its predecessor left behind, caches full of other data and threads that still spin.
    """
    for run in runs.values():
        for _ in range(WARM_UPS):
            run()
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    rounds = ROUNDS[0]
    while len(next(iter(seconds.values()))) < rounds:
        for name, run in runs.items():
            run()
            start = time.perf_counter()
            run()
            seconds[name].append(time.perf_counter() - start)
        slowest = max(times[0] for times in seconds.values())
        rounds = max(ROUNDS[0], min(ROUNDS[1], int(budget / 2 / slowest)))
    return seconds
