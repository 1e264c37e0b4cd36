"""Training steps on one device, two, and so on: what sharing a batch brings."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from statistics import quantiles
from typing import Any

import jax
import numpy as np

from rnn_jax.data.batches import Batch
from rnn_jax.measuring.turns import run_in_turns
from rnn_jax.training.config import Config
from rnn_jax.training.program import make_program


def measure_scaling(config: Config, counts: Sequence[int], seconds: float) -> Iterator[dict[str, Any]]:
    """A row for each number of devices, with the whole batch fixed, and with the batch of each device fixed.

    Args:
        config: the network, its batch size and its length, which all reviews have.
        counts: numbers of devices; each must share the batch evenly.
        seconds: to spend on each row.
    """
    rows = [("global", config.batch_size, count) for count in counts]
    rows += [("device", config.batch_size // max(counts) * count, count) for count in counts]
    runs = {str(row): _make_run(config, batch, count) for row in rows for _, batch, count in [row]}
    taken = run_in_turns(runs, seconds)
    for row in rows:
        fixed, batch, count = row
        lower, middle, upper = quantiles(taken[str(row)], n=4)
        yield {
            "fixed": fixed,
            "devices": count,
            "batch": batch,
            "seconds": middle,
            "lower_quartile": lower,
            "upper_quartile": upper,
            "runs": len(taken[str(row)]),
            "reviews_per_second": batch / middle,
        }


def _make_run(config: Config, batch_size: int, num_devices: int) -> Callable[[], Any]:
    """One training step on random reviews, compiled."""
    program = make_program(replace(config, batch_size=batch_size), 1000, num_devices)
    rng = np.random.default_rng(0)
    batch = program.parallel.cut(
        Batch(
            rng.integers(3, config.vocabulary_size, (batch_size, config.max_length)).astype(np.int32),
            np.full(batch_size, config.max_length, np.int32),
            rng.integers(0, 2, batch_size).astype(np.int32),
            np.ones(batch_size, np.float32),
            np.arange(batch_size, dtype=np.int32),
            np.zeros((batch_size, config.max_length, 0), np.float32),
        )
    )
    state = [program.parallel.replicate(program.init_state(program.init_params()))]
    key = jax.random.key(0)

    def run() -> None:
        state[0] = jax.block_until_ready(program.step(state[0], batch, key))

    return run
