"""Accelerators to compile for, of which nothing is there but a compiler.

JAX calls them a topology: so many chips, connected in a grid. Google's compiler, libtpu, knows its chips by
name; NVIDIA's, which is in the plugins for CUDA, takes a description of a GPU. Nothing is run.
"""

import os
from importlib.util import find_spec
from typing import Any, NamedTuple

import jax
from jax.experimental import topologies

from rnn_jax.errors import UserError

GIB = 2**30


class Target(NamedTuple):
    """Devices to compile for."""

    platform: str  # as JAX calls it: tpu or cuda
    topology: str
    chip: str
    memory: int  # of a chip, in bytes
    devices: list[Any]


class Chip(NamedTuple):
    """A kind of accelerator.

    Attributes:
        name: for people.
        memory: of one, in bytes.
        grids: in which they are connected.
    """

    name: str
    memory: int
    grids: tuple[str, ...]


# Memory and grids from Google's documentation of Cloud TPU, one page a version, and NVIDIA's data sheet.
FLAT = ("1x1", "2x2", "2x4", "4x4", "4x8", "8x8", "8x16", "16x16")
CUBES = (
    "2x2x1",
    "2x2x2",
    "2x2x4",
    "2x4x4",
    "4x4x4",
    "4x4x8",
    "4x8x8",
    "8x8x8",
    "8x8x16",
    "8x16x16",
    "16x16x16",
)
CHIPS: dict[str, dict[str, Chip]] = {
    "tpu": {
        "v5e": Chip("TPU v5e", 16 * GIB, FLAT),
        "v5p": Chip("TPU v5p", 95 * GIB, CUBES),
        "v6e": Chip("TPU v6e", 32 * GIB, FLAT),
    },
    "cuda": {"h100": Chip("H100 SXM", 84_929_347_584, ("1", "2", "4", "8", "16", "32", "64", "128", "256"))},
}
ONE = {"tpu": "v5e:1x1", "cuda": "h100:1"}
FIRST = {"tpu": "v5e:2x4", "cuda": "h100:8"}
LARGE = {"tpu": "v5e:16x16", "cuda": "h100:256"}
NEEDED = {  # modules, and what installs them
    "tpu": ("libtpu", "make compiler, and then PYTHONPATH=.venv-compiler"),
    "cuda": ("jax_plugins.xla_cuda12", "pip install jax-cuda12-plugin jax-cuda12-pjrt"),
}
GPUS_A_HOST = 8

# What NVIDIA's compiler asks of a GPU that it could look up, of an H100 SXM.
H100 = """
gpu_device_info {
  threads_per_block_limit: 1024 threads_per_warp: 32 shared_memory_per_block: 49152
  shared_memory_per_core: 233472 threads_per_core_limit: 2048 core_count: 132 fpus_per_core: 128
  block_dim_limit_x: 2147483647 block_dim_limit_y: 65535 block_dim_limit_z: 65535
  memory_bandwidth: 3352320000000 l2_cache_size: 52428800 clock_rate_ghz: 1.98
  device_memory_size: 84929347584 shared_memory_per_block_optin: 232448
  cuda_compute_capability { major: 9 } registers_per_core_limit: 65536 registers_per_block_limit: 65536
}
platform_name: "CUDA" dnn_version_info { major: 9 minor: 7 } runtime_version { major: 12 minor: 8 patch: 0 }
device_description_str: "NVIDIA H100 80GB HBM3"
"""


def keep_to_compilers() -> None:
    """Tells JAX, before it starts, that there are no accelerators, and libtpu not to look for any."""
    jax.config.update("jax_platforms", "cpu")
    jax.config.update("jax_enable_compilation_cache", False)  # nothing could be loaded from it again
    os.environ |= {
        "CUDA_VISIBLE_DEVICES": "-1",
        "TPU_SKIP_MDS_QUERY": "1",
        "TPU_WORKER_HOSTNAMES": "localhost",
        "TPU_ACCELERATOR_TYPE": "v5litepod-8",  # any; the topology says which is compiled for
        "ALLOW_MULTIPLE_LIBTPU_LOAD": "1",  # two processes may compile: no device is held
    }


def open_target(platform: str, topology: str | None = None) -> Target:
    """Opens a compiler for a topology; `keep_to_compilers` comes first.

    Args:
        platform: tpu or cuda.
        topology: a chip and a grid, such as v5e:2x4, or a number of GPUs, h100:8.

    Raises:
        UserError: if the compiler is not installed, or there is no such topology, with those that there are.
    """
    topology = topology or FIRST[platform]
    module, command = NEEDED[platform]
    kind, _, grid = topology.partition(":")
    chip = CHIPS[platform].get(kind)
    if chip is None or grid not in chip.grids:
        known = "; ".join(f"{name}: {', '.join(each.grids)}" for name, each in CHIPS[platform].items())
        raise UserError(
            f"--topology {topology} is not known, of the form {FIRST[platform]}: choose of {known}"
        )
    if not _is_installed(module):
        raise UserError(f"compiling for {chip.name} needs its compiler: {command}")
    try:
        devices = list(_describe(platform, kind, grid).devices)
    except NotImplementedError as error:
        raise UserError(
            f"{chip.name}: JAX has started without its compiler: set JAX_PLATFORMS=cpu"
        ) from error
    return Target(platform, topology, chip.name, chip.memory, devices)


def _is_installed(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:  # of the package that it would be in
        return False


def _describe(platform: str, kind: str, grid: str) -> Any:
    if platform == "tpu":
        alone = {"chips_per_host_bounds": (1, 1, 1)} if grid == "1x1" else {}
        return topologies.get_topology_desc(f"{kind}:{grid}", "tpu", **alone)
    count = int(grid)
    own = min(count, GPUS_A_HOST)
    return topologies.get_topology_desc(
        f"{kind}:{grid}", "cuda", topology=f"1x{count // own}x{own}", target_config=H100
    )
