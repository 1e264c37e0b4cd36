"""What is measured: a recurrent layer of some size, run forward or trained, and how much work that is."""

from typing import Any, NamedTuple

import jax
import numpy as np

from rnn_jax.cells import CELLS
from rnn_jax.cells.cell import Params
from rnn_jax.unroll import Directions

PRECISIONS = ("float32", "tensorfloat32", "bfloat16")  # as JAX calls them


class Case(NamedTuple):
    """One recurrent layer, with as many inputs as hidden units, over sequences of one length."""

    cell: str
    mode: str  # forward, or training: gradients for inputs and weights
    time: int
    batch: int
    hidden: int
    precision: str  # of products: one of PRECISIONS; sums and states are float32
    directions: int = 1

    @property
    def layer(self) -> str:
        """What it is a layer of."""
        return self.cell if self.directions == 1 else f"{self.cell}, both directions"

    @property
    def operations(self) -> float:
        """Floating-point operations of the matrix products; twice as many more in the backward pass."""
        sizes = [leaf.size for leaf in jax.tree.leaves(jax.eval_shape(lambda: draw(self))) if leaf.ndim == 2]
        forward = 2.0 * sum(sizes) * self.batch * self.time
        return forward * (3 if self.mode == "training" else 1)


class Problem(NamedTuple):
    """The numbers of a case, the same for everyone who works on it."""

    params: Any  # those of a cell, or `Directions` of two such
    x: np.ndarray  # [B, T, H]
    weights: np.ndarray  # [B, T, directions * H]: the loss is the sum of outputs, weighed so


def draw(case: Case) -> Params | Directions:
    """The parameters of a case."""
    halves = [
        CELLS[case.cell].init(jax.random.key(n), case.hidden, case.hidden) for n in range(case.directions)
    ]
    return halves[0] if case.directions == 1 else Directions(*halves)


def make_problem(case: Case) -> Problem:
    """Draws the numbers of a case."""
    rng = np.random.default_rng(0)
    sizes = case.hidden, case.directions * case.hidden
    x, weights = (rng.standard_normal((case.batch, case.time, size), np.float32) for size in sizes)
    return Problem(draw(case), x, weights)


def disagreement(found: dict[str, Any], expected: dict[str, Any]) -> float:
    """The largest difference of two sets of results, relative to the largest value of each array."""
    assert found.keys() == expected.keys()
    differences = []
    for name, theirs in expected.items():
        scale = np.abs(theirs).max() or 1.0
        differences.append(float(np.abs(np.asarray(found[name], np.float32) - theirs).max() / scale))
    return max(differences)
