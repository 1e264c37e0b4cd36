"""Whole epochs of training: every review once, from the batches made to the weights changed."""

import time
from collections.abc import Iterator
from functools import partial
from typing import NamedTuple

import jax

from rnn_jax.data.batches import make_batch, plan_epoch, steps_per_epoch
from rnn_jax.data.buckets import choose_boundaries
from rnn_jax.data.dataset import Dataset
from rnn_jax.models.functional import split
from rnn_jax.training.config import Config
from rnn_jax.training.evaluation import Evaluator
from rnn_jax.training.optimizer import make_optimizer
from rnn_jax.training.parallel import DataParallel, all_reduce
from rnn_jax.training.step import init_state, train_step


class Epoch(NamedTuple):
    """One epoch, as it was measured."""

    seconds: float  # of training; what is compiled on the way counts, in the first epoch most of it
    data_seconds: float | None  # of these, in which batches were made; None where that is not known
    test_accuracy: float  # after it; evaluating takes no part in the seconds


def our_epochs(config: Config, data: Dataset, num_devices: int) -> Iterator[Epoch]:
    """Trains as a run does, but without checkpoints and records."""
    apply, init_params = split(config.make_model)
    steps = steps_per_epoch(len(data.train), config.batch_size)
    optimizer = make_optimizer(config.learning_rate, steps * config.epochs, config.clip_norm)
    boundaries = choose_boundaries(data.train.lengths, config.max_length, config.buckets)
    parallel = DataParallel(num_devices, config.batch_size)
    step = parallel.map(
        partial(
            train_step,
            apply=apply,
            optimizer=optimizer,
            average_decay=config.average_decay,
            all_reduce=all_reduce,
        ),
        in_axes=(0, 0, None),
    )
    evaluate = Evaluator(parallel, apply, boundaries, config.batch_size)
    state = parallel.replicate(init_state(init_params(), optimizer))
    key = jax.random.key(config.seed)
    for epoch in range(config.epochs):
        start = time.perf_counter()
        data_seconds = 0.0
        for plan in plan_epoch(data.train.lengths, boundaries, config.batch_size, config.seed, epoch):
            making = time.perf_counter()
            batch = parallel.cut(make_batch(data.train, plan, config.batch_size, parallel.rows))
            data_seconds += time.perf_counter() - making
            state = step(state, batch, key)
        jax.block_until_ready(state)
        seconds = time.perf_counter() - start
        yield Epoch(seconds, data_seconds, evaluate(parallel.gather(state.average), data.test).accuracy)
