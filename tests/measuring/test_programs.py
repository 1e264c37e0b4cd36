"""Whoever is measured does the same work, and it is counted right."""

import jax
import jax.numpy as jnp
import pytest

from rnn_jax.cells import CELLS
from rnn_jax.measuring.case import Case, disagreement, make_problem
from rnn_jax.measuring.peers import BOTH, PEER_CELLS, PEERS, is_installed
from rnn_jax.measuring.program import OURS, our_program, product_program
from rnn_jax.unroll import static
from tests.conftest import need_devices
from tests.unroll.pairs import KINDS

pytestmark = pytest.mark.slow

SIZES = {"time": 5, "batch": 4, "hidden": 3, "precision": "float32"}


@pytest.mark.parametrize("directions", [1, 2])
@pytest.mark.parametrize("mode", ["forward", "training"])
@pytest.mark.parametrize("cell", KINDS)
def test_our_unrolls_agree(cell, mode, directions):
    need_devices(2)
    case = Case(cell, mode, **SIZES, directions=directions)
    problem = make_problem(case)
    expected = our_program("dynamic", case, problem, 1).results()
    for method in OURS:
        assert disagreement(our_program(method, case, problem, 2).results(), expected) < 1e-5, method


@pytest.mark.parametrize("mode", ["forward", "training"])
@pytest.mark.parametrize("cell", PEER_CELLS)
@pytest.mark.parametrize(
    ("peer", "directions"), [*((peer, 1) for peer in PEERS), *((peer, 2) for peer in BOTH)]
)
def test_peers_agree(peer, directions, cell, mode):
    if not is_installed(peer):
        pytest.skip(f"compares with {peer}: pip install torch")
    need_devices(2)
    case = Case(cell, mode, **SIZES, directions=directions)
    problem = make_problem(case)
    found = PEERS[peer](case, problem, 2).results()
    assert disagreement(found, our_program("dynamic", case, problem, 1).results()) < 1e-5


@pytest.mark.parametrize("cell", CELLS)
def test_operations_are_those_of_the_compiled_loop(cell):
    """XLA counts what is done element by element too, and that counts for less the larger the layer.

    In `s6`, with 16 memories a unit, it is 15 % at H = 256, and 8 % here.
    """
    case = Case(cell, "forward", 3, 64, 512, "float32")
    problem = make_problem(case)
    state = CELLS[cell].initial_state(problem.params, (64,))
    run = jax.jit(lambda x, state: static(CELLS[cell], problem.params, x, None, state).outputs)
    counted = run.lower(jnp.asarray(problem.x), state).compile().cost_analysis()["flops"]
    assert case.operations <= counted < 1.1 * case.operations
    assert case._replace(mode="training").operations == 3 * case.operations


def test_the_product_is_one():
    program, operations = product_program("float32", 1)
    assert operations >= 2 * 2048**3
    assert jnp.allclose(program.run(), 1 / program.run().shape[-1])
