"""Whole epochs of training: every review once, from the batches made to the weights changed."""

import time
from collections.abc import Iterator
from typing import NamedTuple

import jax

from rnn_jax.data.dataset import Dataset
from rnn_jax.seeds import make_key
from rnn_jax.tasks.text_classification import Settings, data_of, make
from rnn_jax.training.evaluation import Evaluator
from rnn_jax.training.program import make_program


class Epoch(NamedTuple):
    """One epoch, as it was measured."""

    seconds: float  # of training; what is compiled on the way counts, in the first epoch most of it
    data_seconds: float | None  # of these, in which batches were made; None where that is not known
    test_accuracy: float  # after it; evaluating takes no part in the seconds


def our_epochs(settings: Settings, dataset: Dataset, num_devices: int) -> Iterator[Epoch]:
    """Trains as a run does, but without checkpoints and records."""
    training, task, data = settings.training, make(settings), data_of(settings, dataset)
    program = make_program(task, training, data.train.steps * training.epochs, num_devices)
    parallel = program.parallel
    evaluate = Evaluator(task, parallel, training.batch_size)
    state = parallel.put(program.init_state(task.init()))
    key = make_key(training.seed)
    for epoch in range(training.epochs):
        start = time.perf_counter()
        data_seconds = 0.0
        for plan in data.train.epoch(training.seed, epoch):
            making = time.perf_counter()
            batch = parallel.shard(data.train.batch(plan, parallel.rows))
            data_seconds += time.perf_counter() - making
            state = program.step(state, batch, key)
        jax.block_until_ready(state)
        seconds = time.perf_counter() - start
        accuracy = evaluate(parallel.unreplicate(state.average), data.test).figures["accuracy"]
        yield Epoch(seconds, data_seconds, accuracy)
