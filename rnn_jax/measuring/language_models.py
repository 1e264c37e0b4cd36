"""Language models in training: how soon they learn, and how many tokens a second they read."""

import time
from collections.abc import Callable, Iterator, Mapping
from itertools import cycle
from typing import NamedTuple

import jax
import numpy as np

from rnn_jax.data.batches import Batch, Split
from rnn_jax.measuring.epochs import timed_epochs
from rnn_jax.seeds import make_key
from rnn_jax.tasks.language_model import Settings, make
from rnn_jax.training.program import make_program
from rnn_jax.training.recipe import Data

Take = Callable[[int], int]  # takes so many training steps, waits, and says how many tokens they predicted
BATCHES = 50  # of the beginning of the text, which steps are timed on again and again


class Epoch(NamedTuple):
    """Where training had come to after an epoch."""

    seconds: float  # of training so far; what is compiled on the way counts, evaluating does not
    validation_loss: float  # of the averaged weights, in nats a token


def our_epochs(settings: Settings, data: Data, num_devices: int) -> Iterator[Epoch]:
    """Trains a language model, and validates it after every epoch."""
    task, seconds = make(settings, data.preprocessor), 0.0
    for epoch in timed_epochs(task, data, settings.training, num_devices):
        seconds += epoch.seconds
        yield Epoch(seconds, epoch.evaluate(data.validation).figures["loss"])


def our_steps(settings: Settings, data: Data, num_devices: int) -> Take:
    """One training step after the other, on the first batches of the training text."""
    training, task = settings.training, make(settings, data.preprocessor)
    program = make_program(task, training, data.train.steps * training.epochs, num_devices)
    batches = cycle(
        [(program.parallel.shard(b), tokens_of(b)) for b in first_batches(data.train, training.batch_size)]
    )
    state = program.parallel.put(program.init_state(task.init()))
    key = make_key(training.seed)

    def take(count: int) -> int:
        nonlocal state
        tokens = 0
        for _ in range(count):
            batch, more = next(batches)
            state = program.step(state, batch, key)
            tokens += more
        jax.block_until_ready(state)
        return tokens

    return take


def first_batches(split: Split, rows: int) -> list[Batch]:
    """The batches that a text begins with, whole ones if there are any."""
    plans = split.once()[: max(1, min(BATCHES, split.steps - 1))]  # the last may be padded
    return [split.batch(plan, range(rows)) for plan in plans]


def tokens_of(batch: Batch) -> int:
    """How many tokens of a batch are predicted."""
    return int(np.sum(batch.columns["targets"].lengths))


def speeds_in_turns(runs: Mapping[str, Take], turns: int, seconds: float) -> dict[str, list[float]]:
    """Tokens a second of each, a figure a turn: of the first, the second, …, the first again, and so on.

    All are compiled and warm before the first turn. A turn takes as many steps as fit into `seconds`; it
    begins with one that does not count, which pays for what its predecessor left behind.
    """
    counts = {name: _steps_within(take, seconds) for name, take in runs.items()}
    speeds: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(turns):
        for name, take in runs.items():
            take(1)
            tokens, taken = _timed(take, counts[name])
            speeds[name].append(tokens / taken)
    return speeds


def _steps_within(take: Take, seconds: float) -> int:
    """How many steps fit, measured on ever more of them."""
    take(2)  # compiles
    count = 1
    while (taken := _timed(take, count)[1]) < min(seconds, 1.0) / 4:
        count *= 2
    return max(1, round(seconds * count / taken))


def _timed(take: Take, count: int) -> tuple[int, float]:
    """The tokens of so many steps, and the seconds that they took."""
    start = time.perf_counter()
    return take(count), time.perf_counter() - start
