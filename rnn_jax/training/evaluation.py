"""Evaluation of weights over a split."""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import jax
import numpy as np

from rnn_jax.data.batches import Split
from rnn_jax.models.functional import ModelParams
from rnn_jax.training.parallel import DataParallel, all_gather, all_reduce
from rnn_jax.training.step import EvaluationState, evaluation_step
from rnn_jax.training.task import Outputs, Task, zeros


class Evaluation(NamedTuple):
    """What weights make of a split of N examples."""

    figures: dict[str, float]  # means, by name
    outputs: Outputs  # leaves [N, ...], in the order of the examples


def evaluation_work(task: Task) -> Callable[..., Any]:
    """What each device does with a batch: `(state, params, batch) -> (state, outputs)`, when mapped."""
    return partial(evaluation_step, task=task, all_reduce=all_reduce, all_gather=all_gather)


class Evaluator:
    """The figures of weights over a split, without dropout, on all devices.

    Args:
        task: what is learnt.
        parallel: the devices.
        batch_size: examples a batch, over all devices.
    """

    def __init__(self, task: Task, parallel: DataParallel, batch_size: int) -> None:
        self.task, self.parallel, self.batch_size = task, parallel, batch_size
        self._step = parallel.map(evaluation_work(task))

    def __call__(self, params: ModelParams, split: Split) -> Evaluation:
        """What `params`, one copy of them, make of all examples."""
        parallel, plans = self.parallel, split.once()
        replicas = parallel.replicate(params)
        state = EvaluationState(
            parallel.replicate(zeros(self.task.figures.counted, self.task.figures.sizes)),
            parallel.distribute(self.task.initial_carry(self.batch_size)),
        )
        gathered = []
        for plan in plans:
            batch = split.batch(plan, parallel.rows)
            state, outputs = self._step(state, replicas, parallel.shard(batch))
            gathered.append(outputs)

        def in_order(*batches: np.ndarray) -> np.ndarray:
            rows = np.concatenate([b[: len(p.indices)] for b, p in zip(batches, plans, strict=True)])
            found = np.empty_like(rows)
            found[np.concatenate([plan.indices for plan in plans])] = rows
            return found

        outputs = jax.tree.map(in_order, *parallel.unreplicate(gathered))
        sums = parallel.unreplicate(state.sums)
        return Evaluation(self.task.figures.of(sums, split), outputs)


def make_evaluator(task: Task, batch_size: int, num_devices: int) -> Evaluator:
    """An evaluator on so many devices of this host."""
    return Evaluator(task, DataParallel(num_devices, batch_size), batch_size)
