"""Programs that do the work of a case, compiled and ready to be timed."""

import time
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh, PartitionSpec

from rnn_jax.cells import CELLS
from rnn_jax.cells.cell import Array, product
from rnn_jax.measuring.case import Case, Problem
from rnn_jax.unroll import UNROLLS, Directions, dynamic, run_layer

AXIS = "devices"
OURS: dict[str, Callable[..., Any]] = {
    **{name: unroll for name, unroll in UNROLLS.items() if name not in ("auto", "cudnn")},
    **{f"dynamic-{steps}": partial(dynamic, unroll=steps) for steps in (2, 4, 8, 16)},
}

Layer = Callable[[Any, Array], Array]  # (params, x [B, T, H]) -> outputs [B, T, directions * H]
Gradients = dict[str, Any]


class Program(NamedTuple):
    """Work that can be done again and again.

    Attributes:
        run: does it, and waits until it is done.
        results: what it computed, by name: `outputs`, or the gradients of `x` and of the matrices of the
            cell (of an LSTM, `input_kernel` and `recurrent_kernel`), laid out as in `rnn_jax.cells`; those of
            the backward half end in `_reverse`.
        compile_seconds: how long tracing and compiling took; None where nothing is compiled.
        temporary_bytes: memory for what is neither argument nor result, on one device, as the compiler
            planned it; None where no compiler says.
    """

    run: Callable[[], Any]
    results: Callable[[], Gradients]
    compile_seconds: float | None
    temporary_bytes: int | None


def our_program(method: str, case: Case, problem: Problem, num_devices: int) -> Program:
    """The program of one of our unrolls."""
    unroll = UNROLLS["cudnn"] if method == "cudnn" else OURS[method]
    cell = CELLS[case.cell]

    def layer(params: Any, x: Array) -> Array:
        return run_layer(unroll, cell, params, x).outputs

    def matrices(gradients: Any) -> Gradients:
        if isinstance(gradients, Directions):
            halves = {"": matrices(gradients.forward), "_reverse": matrices(gradients.backward)}
            return {name + half: array for half, own in halves.items() for name, array in own.items()}
        return {name: array for name, array in gradients._asdict().items() if array.ndim == 2}

    return compile_layer(layer, problem.params, case, problem, num_devices, matrices)


def compile_layer(
    layer: Layer,
    params: Any,
    case: Case,
    problem: Problem,
    num_devices: int,
    matrices: Callable[[Any], Gradients],
) -> Program:
    """Compiles a layer written in JAX, its batch shared by the devices.

    Args:
        layer: the layer as a function of its parameters and inputs.
        params: its parameters.
        case: what to compile it for.
        problem: the numbers.
        num_devices: how many devices share the batch.
        matrices: from gradients like `params` to those of the matrices, by our names.
    """
    rows, everywhere = PartitionSpec(AXIS), PartitionSpec()
    mesh = Mesh(np.array(jax.local_devices()[:num_devices]), (AXIS,))

    def train(params: Any, x: Array, weights: Array) -> tuple[Any, Array]:
        gradients = jax.grad(lambda p, x: (layer(p, x) * weights).sum(), argnums=(0, 1))(params, x)
        return jax.lax.psum(gradients[0], AXIS), gradients[1]

    def forward(params: Any, x: Array, weights: Array) -> Array:
        return layer(params, x)

    function, specs = (train, (everywhere, rows)) if case.mode == "training" else (forward, rows)
    shared = jax.shard_map(
        function, mesh=mesh, in_specs=(everywhere, rows, rows), out_specs=specs, check_vma=False
    )
    place = lambda tree, spec: jax.device_put(tree, jax.NamedSharding(mesh, spec))  # noqa: E731
    arguments = (place(params, everywhere), place(problem.x, rows), place(problem.weights, rows))
    start = time.perf_counter()
    with jax.default_matmul_precision(case.precision):
        compiled = jax.jit(shared).lower(*arguments).compile()
    seconds = time.perf_counter() - start

    def run() -> Any:
        return jax.block_until_ready(compiled(*arguments))

    def results() -> Gradients:
        found = run()
        if case.mode == "forward":
            return {"outputs": np.asarray(found, np.float32)}
        gradients = {"x": found[1], **matrices(found[0])}
        return {name: np.asarray(array, np.float32) for name, array in gradients.items()}

    memory = compiled.memory_analysis()
    return Program(run, results, seconds, None if memory is None else int(memory.temp_size_in_bytes))


def product_program(precision: str, num_devices: int) -> tuple[Program, float]:
    """A large matrix product on every device, and its operations: what the hardware can do at best."""
    size = 4096 if jax.default_backend() == "gpu" else 2048
    mesh = Mesh(np.array(jax.local_devices()[:num_devices]), (AXIS,))
    rows = PartitionSpec(AXIS)
    matrices = jax.device_put(jnp.ones((num_devices, size, size)) / size, jax.NamedSharding(mesh, rows))
    multiply = jax.shard_map(lambda a: product(a, a), mesh=mesh, in_specs=rows, out_specs=rows)
    with jax.default_matmul_precision(precision):
        compiled = jax.jit(multiply).lower(matrices).compile()
    program = Program(lambda: jax.block_until_ready(compiled(matrices)), dict, None, None)
    return program, 2.0 * size**3 * num_devices
