"""How fast a host makes batches."""

import itertools
import time
from typing import Any

from rnn_jax.data.batches import Split


def examples_per_second(split: Split, rows: int, seconds: float) -> float:
    """Examples a second, of batches made one after the other by one process, epoch after epoch.

    Args:
        split: to be read in training's order.
        rows: of a batch.
        seconds: to measure for; the first batch is made before.
    """
    plans = itertools.chain.from_iterable(split.epoch(0, epoch) for epoch in itertools.count())
    split.batch(next(plans), range(rows))
    made, start = 0, time.perf_counter()
    while (taken := time.perf_counter() - start) < seconds:
        plan: Any = next(plans)
        split.batch(plan, range(rows))
        made += int((plan.indices >= 0).sum())
    return made / taken
