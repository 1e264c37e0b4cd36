"""A whole training step of a classifier on random tokens: compiled, and ready to be timed."""

from collections.abc import Callable
from typing import Any

import jax
import numpy as np

from rnn_jax.data.batches import Batch, Sequences
from rnn_jax.data.log_count_ratios import ratio_features
from rnn_jax.data.vocabulary import FIRST_WORD
from rnn_jax.settings import with_flat
from rnn_jax.tasks.text_classification import Settings, make
from rnn_jax.training.program import make_program
from rnn_jax.training.step import TrainState


def training_step(settings: Settings, num_devices: int) -> Callable[[], None]:
    """One step after the other; all examples have `max_length` tokens."""
    step, state, others = _prepared(settings, num_devices)

    def run() -> None:
        nonlocal state
        state = jax.block_until_ready(step(state, *others))

    return run


def temporary_bytes(settings: Settings, num_devices: int) -> int:
    """Memory of a step on one of the devices that share the batch, beside parameters, averages and batch."""
    own = with_flat(settings, batch_size=settings.training.batch_size // num_devices)
    step, state, others = _prepared(own, num_devices=1)
    return int(step.lower(state, *others).compile().memory_analysis().temp_size_in_bytes)


def _prepared(settings: Settings, num_devices: int) -> tuple[Any, TrainState, tuple[Batch, Any]]:
    """A training step, a state, and a random batch with a key."""
    task = make(settings)
    program = make_program(task, settings.training, 10_000, num_devices)
    rng = np.random.default_rng(0)
    size, length = settings.training.batch_size, settings.text.max_length
    lengths = np.full(size, length, np.int32)
    tokens = rng.integers(FIRST_WORD, settings.text.vocabulary_size, (size, length)).astype(np.int32)
    columns = {"tokens": Sequences(tokens, lengths), "labels": np.arange(size, dtype=np.int32) % 2}
    if features := ratio_features(settings.text.log_count_ratios):
        ratios = rng.normal(size=(size, length, features)).astype(np.float32)
        columns["ratios"] = Sequences(ratios, lengths)
    batch = Batch(columns, np.ones(size, np.float32), np.arange(size, dtype=np.int32))
    state = program.parallel.put(program.init_state(task.init()))
    return program.step, state, (program.parallel.shard(batch), jax.random.key(0))
