"""What is measured: a recurrent layer of some size, run forward or trained, and how much work that is."""

from typing import Any, NamedTuple

import jax
import numpy as np

from rnn_jax.cells import CELLS
from rnn_jax.cells.cell import Params

PRECISIONS = ("float32", "tensorfloat32", "bfloat16")  # as JAX calls them


class Case(NamedTuple):
    """One recurrent layer, with as many inputs as hidden units, over sequences of one length."""

    cell: str
    mode: str  # forward, or training: gradients for inputs and weights
    time: int
    batch: int
    hidden: int
    precision: str  # of products: one of PRECISIONS; sums and states are float32

    @property
    def operations(self) -> float:
        """Floating-point operations of the matrix products; twice as many more in the backward pass."""
        sizes = [leaf.size for leaf in jax.eval_shape(lambda: draw(self)) if leaf.ndim == 2]
        forward = 2.0 * sum(sizes) * self.batch * self.time
        return forward * (3 if self.mode == "training" else 1)


class Problem(NamedTuple):
    """The numbers of a case, the same for everyone who works on it."""

    params: Params
    x: np.ndarray  # [B, T, H]
    weights: np.ndarray  # [B, T, H]: the loss is the sum of outputs, weighed so


def draw(case: Case) -> Params:
    """The parameters of a case."""
    return CELLS[case.cell].init(jax.random.key(0), case.hidden, case.hidden)


def make_problem(case: Case) -> Problem:
    """Draws the numbers of a case."""
    rng = np.random.default_rng(0)
    shape = (case.batch, case.time, case.hidden)
    x, weights = (rng.standard_normal(shape, np.float32) for _ in range(2))
    return Problem(draw(case), x, weights)


def disagreement(found: dict[str, Any], expected: dict[str, Any]) -> float:
    """The largest difference of two sets of results, relative to the largest value of each array."""
    assert found.keys() == expected.keys()
    differences = []
    for name, theirs in expected.items():
        scale = np.abs(theirs).max() or 1.0
        differences.append(float(np.abs(np.asarray(found[name], np.float32) - theirs).max() / scale))
    return max(differences)
