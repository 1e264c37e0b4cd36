"""A whole training step of a classifier on random tokens: compiled, and ready to be timed."""

from collections.abc import Callable
from typing import Any

import jax
import numpy as np

from rnn_jax.data.batches import Batch
from rnn_jax.data.log_count_ratios import ratio_features
from rnn_jax.data.vocabulary import FIRST_WORD
from rnn_jax.settings import with_flat
from rnn_jax.training.config import Config
from rnn_jax.training.program import Program, make_program


def training_step(config: Config, num_devices: int) -> Callable[[], None]:
    """One step after the other; all examples have `max_length` tokens."""
    program = make_program(config, 10_000, num_devices)
    state, *others = _arguments(config, program)

    def step() -> None:
        nonlocal state
        state = jax.block_until_ready(program.step(state, *others))

    return step


def temporary_bytes(config: Config, num_devices: int) -> int:
    """Memory of a step on one of the devices that share the batch, beside parameters, averages and batch."""
    own = with_flat(config, batch_size=config.training.batch_size // num_devices)
    program = make_program(own, 10_000, num_devices=1)
    step: Any = program.step
    return int(step.lower(*_arguments(own, program)).compile().memory_analysis().temp_size_in_bytes)


def _arguments(config: Config, program: Program) -> tuple[Any, Batch, Any]:
    """A state, a random batch and a key."""
    rng = np.random.default_rng(0)
    size, length = config.training.batch_size, config.text.max_length
    batch = Batch(
        rng.integers(FIRST_WORD, config.text.vocabulary_size, (size, length)).astype(np.int32),
        np.full(size, length, np.int32),
        np.arange(size, dtype=np.int32) % 2,
        np.ones(size, np.float32),
        np.arange(size, dtype=np.int32),
        rng.normal(size=(size, length, ratio_features(config.text.log_count_ratios))).astype(np.float32),
    )
    state = program.parallel.replicate(program.init_state(program.init_params()))
    return state, program.parallel.shard(batch), jax.random.key(0)
