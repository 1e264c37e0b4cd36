"""Whole epochs of training: every review once, from the batches made to the weights changed."""

import time
from collections.abc import Iterator
from typing import NamedTuple

import jax

from rnn_jax.data.batches import make_batch, plan_epoch, steps_per_epoch
from rnn_jax.data.buckets import choose_boundaries
from rnn_jax.data.dataset import Dataset
from rnn_jax.seeds import make_key
from rnn_jax.training.config import Config
from rnn_jax.training.evaluation import Evaluator
from rnn_jax.training.program import make_program


class Epoch(NamedTuple):
    """One epoch, as it was measured."""

    seconds: float  # of training; what is compiled on the way counts, in the first epoch most of it
    data_seconds: float | None  # of these, in which batches were made; None where that is not known
    test_accuracy: float  # after it; evaluating takes no part in the seconds


def our_epochs(config: Config, data: Dataset, num_devices: int) -> Iterator[Epoch]:
    """Trains as a run does, but without checkpoints and records."""
    steps = steps_per_epoch(len(data.train), config.training.batch_size)
    program = make_program(config, steps * config.training.epochs, num_devices)
    parallel = program.parallel
    boundaries = choose_boundaries(data.train.lengths, config.text.max_length, config.text.buckets)
    evaluate = Evaluator(parallel, program.apply, boundaries, config.training.batch_size)
    state = parallel.replicate(program.init_state(program.init_params()))
    key = make_key(config.training.seed)
    for epoch in range(config.training.epochs):
        start = time.perf_counter()
        data_seconds = 0.0
        for plan in plan_epoch(
            data.train.lengths, boundaries, config.training.batch_size, config.training.seed, epoch
        ):
            making = time.perf_counter()
            batch = parallel.shard(make_batch(data.train, plan, config.training.batch_size, parallel.rows))
            data_seconds += time.perf_counter() - making
            state = program.step(state, batch, key)
        jax.block_until_ready(state)
        seconds = time.perf_counter() - start
        yield Epoch(
            seconds, data_seconds, evaluate(parallel.unreplicate(state.average), data.test).metrics.accuracy
        )
