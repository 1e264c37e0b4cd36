"""Data parallelism: every device works on its rows of the global batch (the only file that names pmap).

State is replicated: each array has a leading axis of local devices, equal along it. Batches are cut along
their rows, first over hosts, then over the devices of each.
"""

import os
from functools import partial
from typing import Any, TypeVar

import jax
import numpy as np
import optax
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from rnn_jax.cells.cell import Array
from rnn_jax.data.batches import Batch, host_rows
from rnn_jax.errors import UserError
from rnn_jax.models.functional import Apply, ModelParams
from rnn_jax.training.metrics import Metrics
from rnn_jax.training.step import TrainState, evaluation_step, train_step

Tree = TypeVar("Tree")

AXIS = "devices"


def set_up_devices(num_devices: int | None, batch_size: int) -> int:
    """Chooses how many devices of this host to use, before JAX starts: returns their number.

    On a CPU each core is made a device of its own: inside the small products of a step, threads that wait
    for each other cost more than they bring. Without a wish, as many devices are used as can share the
    batch evenly.

    Raises:
        UserError: if there are not so many devices, or they cannot share the batch evenly.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    jax.config.update("jax_num_cpu_devices", max(num_devices or 0, cores) if num_devices else cores)
    available = jax.local_device_count()
    share = batch_size // jax.process_count()
    if num_devices is None:
        return max(n for n in range(1, available + 1) if share % n == 0)
    if not 1 <= num_devices <= available:
        raise UserError(f"--num-devices {num_devices}: this host has {available}")
    if batch_size % (num_devices * jax.process_count()):
        raise UserError(
            f"--batch-size {batch_size} cannot be shared evenly by {num_devices} devices on each of "
            f"{jax.process_count()} hosts: choose a multiple of {num_devices * jax.process_count()}"
        )
    return num_devices


class DataParallel:
    """The training and evaluation steps on all devices."""

    def __init__(
        self, num_devices: int, batch_size: int, apply: Apply, optimizer: optax.GradientTransformation
    ) -> None:
        self.devices = jax.local_devices()[:num_devices]
        self.rows = host_rows(batch_size, jax.process_index(), jax.process_count())
        all_reduce = partial(jax.lax.psum, axis_name=AXIS)
        # With several hosts the mapping covers all their devices, and is told of none.
        devices = self.devices if jax.process_count() == 1 else None
        self._train = jax.pmap(
            partial(train_step, apply=apply, optimizer=optimizer, all_reduce=all_reduce),
            axis_name=AXIS,
            in_axes=(0, 0, None),
            devices=devices,
            donate_argnums=0,
        )
        self._evaluate = jax.pmap(
            partial(evaluation_step, apply=apply, all_reduce=all_reduce),
            axis_name=AXIS,
            devices=devices,
            donate_argnums=0,
        )

    def train(self, state: TrainState, batch: Batch, key: Array) -> TrainState:
        """One step: replicated state, this host's rows of the batch, a key -> replicated state."""
        return self._settle(self._train(state, self._cut(batch), key))

    def evaluate(self, metrics: Metrics, params: ModelParams, batch: Batch) -> Metrics:
        """Adds a batch to replicated metrics; only this host's rows of the batch are given."""
        return self._settle(self._evaluate(metrics, params, self._cut(batch)))

    def replicate(self, tree: Tree) -> Tree:
        """A copy for every local device, along a new leading axis."""
        sharding = NamedSharding(Mesh(np.array(self.devices), (AXIS,)), PartitionSpec(AXIS))

        def copy(x: Any) -> Array:
            x = np.asarray(x)
            return jax.device_put(np.broadcast_to(x, (len(self.devices), *x.shape)), sharding)

        return jax.tree.map(copy, tree)

    def gather(self, tree: Tree) -> Tree:
        """One copy of a replicated tree, as NumPy arrays; waits until it is computed."""
        return jax.tree.map(lambda x: np.asarray(x.addressable_shards[0].data)[0, ...], tree)

    def _cut(self, batch: Batch) -> Batch:
        return Batch(*(x.reshape(len(self.devices), -1, *x.shape[1:]) for x in batch))

    def _settle(self, tree: Tree) -> Tree:
        """Waits for a step where running ahead is dangerous.

        Several CPU devices share one pool of threads. Steps that are dispatched ahead can fill it with work
        that waits, inside an all-reduce, for a step that finds no thread: XLA aborts after 40 seconds.
        """
        if len(self.devices) > 1 and self.devices[0].platform == "cpu":
            return jax.block_until_ready(tree)
        return tree
