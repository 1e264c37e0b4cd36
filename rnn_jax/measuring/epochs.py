"""Whole epochs of training: every review once, from the batches made to the weights changed."""

import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import NamedTuple

import jax

from rnn_jax.data.batches import Split
from rnn_jax.data.dataset import Dataset
from rnn_jax.seeds import make_key
from rnn_jax.tasks.text_classification import Settings, data_of, make
from rnn_jax.training.evaluation import Evaluation, Evaluator
from rnn_jax.training.program import make_program
from rnn_jax.training.recipe import Data
from rnn_jax.training.settings import TrainingSettings
from rnn_jax.training.task import Task


class Epoch(NamedTuple):
    """One epoch, as it was measured."""

    seconds: float  # of training; what is compiled on the way counts, in the first epoch most of it
    data_seconds: float | None  # of these, in which batches were made; None where that is not known
    test_accuracy: float  # after it; evaluating takes no part in the seconds


class Timed(NamedTuple):
    """An epoch of any task, as it was timed."""

    seconds: float
    data_seconds: float  # of these, in which batches were made
    evaluate: Callable[[Split], Evaluation]  # of the averaged weights


def timed_epochs(task: Task, data: Data, training: TrainingSettings, num_devices: int) -> Iterator[Timed]:
    """Trains as a run does, but without checkpoints and records."""
    program = make_program(task, training, data.train.steps * training.epochs, num_devices)
    parallel = program.parallel
    evaluator = Evaluator(task, parallel, training.batch_size)
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
        yield Timed(seconds, data_seconds, partial(evaluator, parallel.unreplicate(state.average)))


def our_epochs(settings: Settings, dataset: Dataset, num_devices: int) -> Iterator[Epoch]:
    """Trains a classifier of reviews, and tests it after every epoch."""
    data = data_of(settings, dataset)
    for epoch in timed_epochs(make(settings), data, settings.training, num_devices):
        yield Epoch(epoch.seconds, epoch.data_seconds, epoch.evaluate(data.test).figures["accuracy"])
