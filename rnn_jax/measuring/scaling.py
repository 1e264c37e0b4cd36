"""Training steps on one device, two, and so on: what sharing a batch brings."""

from collections.abc import Iterator, Sequence
from statistics import quantiles
from typing import Any

from rnn_jax.measuring.training_step import training_step
from rnn_jax.measuring.turns import run_in_turns
from rnn_jax.settings import with_flat
from rnn_jax.tasks.text_classification import Settings


def measure_scaling(settings: Settings, counts: Sequence[int], seconds: float) -> Iterator[dict[str, Any]]:
    """A row for each number of devices, with the whole batch fixed, and with the batch of each device fixed.

    Args:
        settings: the network, its batch size and its length, which all examples have.
        counts: numbers of devices; each must share the batch evenly.
        seconds: to spend on each row.
    """
    rows = [("global", settings.training.batch_size, count) for count in counts]
    rows += [("device", settings.training.batch_size // max(counts) * count, count) for count in counts]
    runs = {
        str(row): training_step(with_flat(settings, batch_size=batch), count)
        for row in rows
        for _, batch, count in [row]
    }
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
