"""Evaluation of weights over a split."""

from functools import partial
from math import inf
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rnn_jax.data.batches import make_batch, plan_evaluation
from rnn_jax.data.buckets import choose_boundaries
from rnn_jax.data.examples import Examples
from rnn_jax.models.functional import Apply, ModelParams, split
from rnn_jax.training.config import Config
from rnn_jax.training.metrics import Metrics
from rnn_jax.training.parallel import DataParallel, all_gather, all_reduce
from rnn_jax.training.step import evaluation_step

UP_TO = (100, 150, 200, 300, 400, 600, 1000, inf)  # words: examples are counted by length


class Evaluation(NamedTuple):
    """What weights answer over N examples."""

    metrics: Metrics
    logits: NDArray[np.float32]  # [N], in the order of the examples


class Evaluator:
    """Loss and accuracy of weights over examples, without dropout, on all devices.

    Args:
        parallel: the devices.
        apply: the model.
        boundaries: the lengths that batches are padded to.
        batch_size: examples a batch, over all devices.
    """

    def __init__(
        self, parallel: DataParallel, apply: Apply, boundaries: tuple[int, ...], batch_size: int
    ) -> None:
        self.parallel, self.boundaries, self.batch_size = parallel, boundaries, batch_size
        self._step = parallel.map(
            partial(evaluation_step, apply=apply, all_reduce=all_reduce, all_gather=all_gather)
        )

    def __call__(self, params: ModelParams, examples: Examples) -> Evaluation:
        """What `params`, one copy of them, answer to all examples."""
        replicas = self.parallel.replicate(params)
        metrics = self.parallel.replicate(Metrics.zero())
        plans = plan_evaluation(examples.lengths, self.boundaries, self.batch_size)
        answers = []
        for plan in plans:
            batch = make_batch(examples, plan, self.batch_size, self.parallel.rows)
            metrics, logits = self._step(metrics, replicas, self.parallel.shard(batch))
            answers.append(logits)
        found = np.zeros(len(examples), np.float32)
        for plan, logits in zip(plans, self.parallel.unreplicate(answers), strict=True):
            found[plan.indices] = logits[: len(plan.indices)]
        return Evaluation(self.parallel.unreplicate(metrics), found)


def make_evaluator(config: Config, lengths: NDArray[np.integer], num_devices: int) -> Evaluator:
    """An evaluator of the network of these settings, for examples of such lengths."""
    apply, _ = split(config.make_model)
    boundaries = choose_boundaries(lengths, config.text.max_length, config.text.buckets)
    return Evaluator(
        DataParallel(num_devices, config.training.batch_size), apply, boundaries, config.training.batch_size
    )


def count_by_length(correct: NDArray[np.bool_], words: NDArray[np.integer]) -> list[dict[str, int | None]]:
    """How many examples there are of each range of length, and how many of them were classified correctly.

    Ranges end with `up_to` words, and begin above the end of the one before; the last has no end.
    """
    counts: list[dict[str, int | None]] = []
    for above, up_to in zip((-1, *UP_TO), UP_TO, strict=False):
        own = correct[(words > above) & (words <= up_to)]
        last = up_to == inf
        counts.append({"up_to": None if last else int(up_to), "reviews": own.size, "correct": int(own.sum())})
    return counts
