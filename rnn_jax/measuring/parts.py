"""Where the time of training goes: the products of a fused layer, each kind on its own, and the rest."""

from collections.abc import Callable
from statistics import median
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh, PartitionSpec

from rnn_jax.cells.cell import Array, kernel_gradient, product, transpose
from rnn_jax.measuring.case import Case, make_problem
from rnn_jax.measuring.peers import is_installed, torch_program
from rnn_jax.measuring.program import AXIS, our_program, product_program
from rnn_jax.measuring.training_step import training_step
from rnn_jax.measuring.turns import run_in_turns
from rnn_jax.settings import with_flat
from rnn_jax.tasks.text_classification import Settings
from rnn_jax.unroll.fused import chunk_length


class Part(NamedTuple):
    """A part of a training step."""

    name: str
    seconds: float
    gflops: float | None  # None where there are no products


def measure_parts(case: Case, num_devices: int, seconds: float) -> list[Part]:
    """A whole training step of the fused layer, its products kind by kind, and what is left of it.

    The products have the shapes and the order that they have in the layer; their factors are other numbers.
    A number from 8 to 24 must divide T: steps left over by the layer's chunks are not among the products.
    PyTorch's whole layer is measured beside them where it is installed. So are a large product on every
    device, the most that could be had, and the step of a classifier around such a layer, with its embedding,
    dropout, optimizer and averages.
    """
    problem = make_problem(case)
    settings = with_flat(
        Settings(),
        cell=case.cell,
        embedding_size=case.hidden,
        hidden_size=case.hidden,
        max_length=case.time,
        batch_size=case.batch,
        precision=case.precision,
    )
    programs = products(case, problem.params, problem.x, num_devices)
    large, operations = product_program(case.precision, num_devices)
    runs = {
        "whole": our_program("fused", case, problem, num_devices).run,
        **{name: run for name, (run, _) in programs.items()},
        **({"torch": torch_program(case, problem, num_devices).run} if is_installed("torch") else {}),
        "large product": large.run,
        "classifier": training_step(settings, num_devices),
    }
    taken = {name: median(times) for name, times in run_in_turns(runs, seconds).items()}
    parts = [
        Part(name, taken[name], kinds * case.operations / 6 / taken[name] / 1e9)
        for name, (_, kinds) in programs.items()
    ]
    together = sum(part.seconds for part in parts)

    def part(name: str, work: float) -> Part:
        return Part(name, taken[name], work / taken[name] / 1e9)

    return [
        part("whole", case.operations),
        *parts,
        Part("all products", together, case.operations / together / 1e9),
        Part("all else", taken["whole"] - together, None),
        *([part("torch", case.operations)] if "torch" in taken else []),
        part("large product", operations),
        part("classifier", case.operations),
    ]


def products(
    case: Case, params: Any, x: np.ndarray, num_devices: int
) -> dict[str, tuple[Callable[[], Any], int]]:
    """Programs of nothing but products, and how many of the six products of a step each of them makes."""
    gates, size = params.input_kernel.shape[1] // case.hidden, case.hidden
    repeat = lambda a: jnp.concatenate([a] * gates, axis=-1)  # noqa: E731

    def forward(params: Any, x: Array) -> Array:
        def step(hidden: Array, z: Array) -> tuple[Array, None]:
            return (z + product(hidden, params.recurrent_kernel))[:, :size], None

        def chunk(hidden: Array, rows: Array) -> tuple[Array, None]:
            z = product(rows, params.input_kernel)
            return jax.lax.scan(step, hidden, z.reshape(-1, len(x), gates * size))

        return jax.lax.scan(chunk, x[:, 0], chunks(x))[0]

    def backward(params: Any, x: Array) -> Array:
        def step(d_hidden: Array, _: None) -> tuple[Array, None]:
            return product(repeat(d_hidden), recurrent), None

        recurrent = transpose(params.recurrent_kernel)
        return jax.lax.scan(step, x[:, 0], None, length=case.time)[0]

    def weights(params: Any, x: Array) -> Any:
        def chunk(sums: Any, rows: Array) -> tuple[Any, None]:
            more = kernel_gradient(rows, repeat(rows)), kernel_gradient(rows[::-1], repeat(rows))
            return jax.tree.map(jnp.add, sums, more), None

        zeros = jnp.zeros_like(params.input_kernel)
        return jax.lax.scan(chunk, (zeros, zeros), chunks(x))[0]

    def inputs(params: Any, x: Array) -> Array:
        kernel = transpose(params.input_kernel)
        return jax.lax.map(lambda rows: product(repeat(rows), kernel), chunks(x))

    def chunks(x: Array) -> Array:
        return jnp.swapaxes(x, 0, 1).reshape(-1, chunk_length(case.time, x.shape[0], size) * x.shape[0], size)

    mesh = Mesh(np.array(jax.local_devices()[:num_devices]), (AXIS,))
    rows, everywhere = PartitionSpec(AXIS), PartitionSpec()
    place = lambda tree, spec: jax.device_put(tree, jax.NamedSharding(mesh, spec))  # noqa: E731
    arguments = place(params, everywhere), place(x, rows)

    def compiled(function: Callable[..., Any]) -> Callable[[], Any]:
        # Each device keeps its own results: nothing is added up.
        own = lambda *a: jax.tree.map(lambda r: r[None], function(*a))  # noqa: E731
        shared = jax.shard_map(own, mesh=mesh, in_specs=(everywhere, rows), out_specs=rows, check_vma=False)
        with jax.default_matmul_precision(case.precision):
            run = jax.jit(shared).lower(*arguments).compile()
        return lambda: jax.block_until_ready(run(*arguments))

    return {
        "x W and h U": (compiled(forward), 2),
        "da Uᵀ": (compiled(backward), 1),
        "xᵀ da and hᵀ da": (compiled(weights), 2),
        "da Wᵀ": (compiled(inputs), 1),
    }
