"""What a cell remembers: tasks learnt, and how far a gradient reaches back."""

import math
from collections.abc import Iterator
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax

from rnn_jax.cells import CELLS
from rnn_jax.cells.cell import Array, Cell, Params
from rnn_jax.data.memory_tasks import TASKS
from rnn_jax.seeds import make_key
from rnn_jax.unroll import fused

CHUNK = 100  # steps between two looks from outside
EXAMPLES = 1024  # fresh ones, for the score


class Case(NamedTuple):
    """One thing to learn."""

    cell: str
    task: str
    length: int
    seed: int
    hidden: int = 64
    batch: int = 64
    steps: int = 2000
    learning_rate: float = 2e-3


class Reader(NamedTuple):
    """A recurrent layer, and what is read off its outputs at each step."""

    layer: Params
    kernel: Array  # [H, output_size]
    bias: Array  # [output_size]

    def __call__(self, cell: Cell, inputs: Array) -> Array:
        """`[B, T, D] -> [B, T, output_size]`."""
        return fused(cell, self.layer, inputs).outputs @ self.kernel + self.bias


def learn(case: Case) -> Iterator[tuple[Reader, float]]:
    """Trains one layer on a task: what has been learnt before training, and after every `CHUNK` steps.

    Beside it is the mean loss of these steps. Adam, with gradients clipped at norm 1, and batches drawn anew:
    nothing can be learnt by heart.
    """
    cell, task = CELLS[case.cell], TASKS[case.task]
    init_key, data_key, _ = _keys(case)
    layer_key, kernel_key = jax.random.split(init_key)
    kernel = jax.nn.initializers.glorot_uniform()(kernel_key, (case.hidden, task.output_size))
    layer = cell.init(layer_key, task.input_size, case.hidden)
    reader = Reader(layer, kernel, jnp.zeros(task.output_size))
    optimizer = optax.chain(optax.clip_by_global_norm(1.0), optax.adam(case.learning_rate))

    def loss(reader: Reader, key: Array) -> Array:
        inputs, targets = task.draw(key, case.batch, case.length)
        return task.loss(reader(cell, inputs), targets)

    def step(state: tuple[Reader, Any], key: Array) -> tuple[tuple[Reader, Any], Array]:
        reader, memory = state
        value, gradient = jax.value_and_grad(loss)(reader, key)
        updates, memory = optimizer.update(gradient, memory, reader)
        return (optax.apply_updates(reader, updates), memory), value

    @jax.jit
    def chunk(state: tuple[Reader, Any], keys: Array) -> tuple[tuple[Reader, Any], Array]:
        return jax.lax.scan(step, state, keys)

    yield reader, math.nan
    state = reader, optimizer.init(reader)
    for keys in jax.random.split(data_key, (case.steps // CHUNK, CHUNK)):
        state, values = chunk(state, keys)
        yield state[0], float(values.mean())


def measure_memory(case: Case) -> dict[str, Any]:
    """Trains one layer on a task, and measures its score and its gradients, before and after."""
    cell, task = CELLS[case.cell], TASKS[case.task]
    *_, test_key = _keys(case)

    @jax.jit
    def score(reader: Reader) -> Array:
        inputs, targets = task.draw(test_key, EXAMPLES, case.length)
        return task.score(reader(cell, inputs), targets)

    norms = jax.jit(lambda layer: gradient_norms(cell, layer, task.draw(test_key, 64, case.length).inputs))
    readers, losses = zip(*learn(case), strict=True)
    return {
        **case._asdict(),
        "score": float(score(readers[-1])),
        "losses": [round(value, 6) for value in losses[1:]],
        "gradient_norms": {
            "before": _thinned(norms(readers[0].layer)),
            "after": _thinned(norms(readers[-1].layer)),
        },
    }


def _keys(case: Case) -> Array:
    """Of the weights, of the examples to learn from, and of those of the score."""
    return jax.random.split(make_key(case.seed), 3)


def gradient_norms(cell: Cell, params: Params, x: Array) -> Array:
    """How strongly the last output depends on each input, `[T]`, the last step first.

    The norm of ∂ (r · h_T) / ∂ x_t for a random direction r of length 1, as a mean over the sequences.
    """
    direction = jax.random.normal(jax.random.key(0), (params.hidden_size,))
    direction /= jnp.linalg.norm(direction)
    gradient = jax.grad(lambda x: (fused(cell, params, x).outputs[:, -1] @ direction).sum())(x)
    return jnp.linalg.norm(gradient, axis=-1).mean(axis=0)[::-1]


def _thinned(norms: Array) -> dict[str, list[float]]:
    """At distances that grow by a tenth, so that a record stays short."""
    count = len(norms)
    distances = np.unique(np.geomspace(1, count, 40).astype(int)) - 1
    return {
        "distance": distances.tolist(),
        "norm": [float(f"{value:.4g}") for value in np.asarray(norms)[distances]],
    }
