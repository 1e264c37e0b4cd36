"""Data parallelism: every device works on its rows of the global batch (the only file that names pmap).

State is replicated: each array has a leading axis of local devices, equal along it. Batches are cut along
their rows, first over hosts, then over the devices of each.
"""

import contextlib
import os
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import jax
import numpy as np
from jax.experimental.multihost_utils import process_allgather
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from rnn_jax.cells.cell import Array
from rnn_jax.cores import cores
from rnn_jax.data.batches import host_rows
from rnn_jax.errors import UserError
from rnn_jax.platforms import for_device
from rnn_jax.training.memory import keep_freed_memory
from rnn_jax.training.step import TrainState

Tree = TypeVar("Tree")

AXIS = "devices"


def set_up_devices(num_devices: int | None, batch_size: int) -> int:
    """Chooses how many devices of this host to use, before JAX starts: returns their number.

    On a CPU each core is made a device of its own: inside the small products of a step, threads that wait
    for each other cost more than they bring. Without a wish, as many devices are used as can share the
    batch evenly. GPUs are told to add up in a fixed order, so that the same run gives the same digits.

    Raises:
        UserError: if there are not so many devices, or they cannot share the batch evenly.
    """
    keep_freed_memory()
    os.environ["XLA_FLAGS"] = f"--xla_gpu_deterministic_ops=true {os.environ.get('XLA_FLAGS', '')}".strip()
    with contextlib.suppress(RuntimeError):  # JAX has started already: its devices are what there is
        jax.config.update("jax_num_cpu_devices", max(cores(), num_devices or 1))
    available, hosts = jax.local_device_count(), jax.process_count()
    if num_devices is None:
        sharing = [n for n in range(1, available + 1) if batch_size % (n * hosts) == 0]
        if not sharing:
            raise UserError(f"--batch-size {batch_size} cannot be shared evenly by {hosts} hosts")
        return sharing[-1]
    if not 1 <= num_devices <= available:
        raise UserError(f"--num-devices {num_devices}: this host has {available}")
    if batch_size % (num_devices * hosts):
        raise UserError(
            f"--batch-size {batch_size} cannot be shared evenly by {num_devices * hosts} devices: "
            f"choose a multiple of {num_devices * hosts}, or another --num-devices"
        )
    return num_devices


def all_reduce(tree: Tree) -> Tree:
    """Adds a tree up over all devices of all hosts; for use inside a mapped function."""
    if jax.lax.psum(1, AXIS) == 1:
        return tree  # XLA would copy it
    return jax.lax.psum(tree, AXIS)


def all_gather(tree: Tree) -> Tree:
    """Puts the rows of all devices of all hosts together; for use inside a mapped function."""
    return jax.lax.all_gather(tree, AXIS, tiled=True)


def map_ahead(function: Callable[..., Tree], devices: Sequence[Any], in_axes: Sequence[int | None]) -> Any:
    """A function for devices that need not be here, to be compiled for them; the first argument is donated.

    It does what `DataParallel.map` does, and takes arguments with the same leading axes of devices.
    """
    mesh = Mesh(np.array(devices), (AXIS,))
    function = for_device(devices[0], function)
    specs = tuple(PartitionSpec() if axis is None else PartitionSpec(AXIS) for axis in in_axes)

    def on_one(*arguments: Any) -> Any:
        own = (
            each if axis is None else jax.tree.map(lambda x: x[0], each)
            for each, axis in zip(arguments, in_axes, strict=True)
        )
        return jax.tree.map(lambda x: x[None], function(*own))

    mapped = jax.shard_map(on_one, mesh=mesh, in_specs=specs, out_specs=PartitionSpec(AXIS), check_vma=False)
    placed = [NamedSharding(mesh, spec) for spec in specs]
    return jax.jit(mapped, in_shardings=placed, donate_argnums=0)


class DataParallel:
    """The devices of this host, and how to use them together.

    Attributes:
        rows: the rows of a global batch that this host works on.
    """

    def __init__(self, num_devices: int, batch_size: int) -> None:
        self.devices = jax.local_devices()[:num_devices]
        self.rows = host_rows(batch_size, jax.process_index(), jax.process_count())

    def map(self, function: Callable[..., Tree], in_axes: Any = 0) -> Callable[..., Tree]:
        """Compiles a function for all devices; its first argument is donated."""
        mapped = jax.pmap(
            for_device(self.devices[0], function),
            axis_name=AXIS,
            in_axes=in_axes,
            devices=[
                device
                for host in range(jax.process_count())
                for device in jax.local_devices(process_index=host)[: len(self.devices)]
            ],
            donate_argnums=0,
        )
        # Several CPU devices share one pool of threads. Steps that are dispatched ahead can fill it with work
        # that waits, inside an all-reduce, for a step that finds no thread: XLA aborts after 40 seconds.
        if len(self.devices) > 1 and self.devices[0].platform == "cpu":
            return lambda *arguments: jax.block_until_ready(mapped(*arguments))
        return mapped

    def shard(self, tree: Tree) -> Tree:
        """This host's rows of a batch, shared out: `[rows, ...] -> [devices, rows / devices, ...]`."""
        count = len(self.devices)
        return jax.tree.map(lambda x: np.asarray(x).reshape(count, len(x) // count, *x.shape[1:]), tree)

    def distribute(self, tree: Tree) -> Tree:
        """The rows of a global batch, shared out over hosts and devices; `unshard` is the opposite."""
        return self.shard(jax.tree.map(lambda x: np.asarray(x)[self.rows.start : self.rows.stop], tree))

    def unshard(self, tree: Tree) -> Tree:
        """The rows of all hosts, in order, as NumPy arrays; waits until they are computed."""
        rows = jax.tree.map(lambda x: np.asarray(x).reshape(-1, *x.shape[2:]), tree)
        return process_allgather(rows, tiled=True) if jax.process_count() > 1 else rows

    def put(self, state: TrainState) -> TrainState:
        """A state of all rows on the devices: its carry is shared out, all else replicated."""
        return self.replicate(state._replace(carry=()))._replace(carry=self.distribute(state.carry))

    def get(self, state: TrainState) -> TrainState:
        """The state of all rows again, as NumPy arrays; waits until it is computed."""
        return self.unreplicate(state._replace(carry=()))._replace(carry=self.unshard(state.carry))

    def replicate(self, tree: Tree) -> Tree:
        """A copy for every local device, along a new leading axis."""
        sharding = NamedSharding(Mesh(np.array(self.devices), (AXIS,)), PartitionSpec(AXIS))

        def copy(x: Any) -> Array:
            x = np.asarray(x)
            return jax.device_put(np.broadcast_to(x, (len(self.devices), *x.shape)), sharding)

        return jax.tree.map(copy, tree)

    def unreplicate(self, tree: Tree) -> Tree:
        """One copy of a replicated tree, as NumPy arrays; waits until it is computed."""
        return jax.tree.map(lambda x: np.asarray(x.addressable_shards[0].data)[0, ...], tree)
