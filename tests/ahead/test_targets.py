"""Compilers of accelerators that are not here; skipped where they are not installed."""

import os

import jax
import jax.numpy as jnp
import pytest
from jax.experimental.compilation_cache import compilation_cache
from jax.sharding import SingleDeviceSharding

from rnn_jax.ahead.compiling import Compiled, compile_ahead
from rnn_jax.ahead.programs import Ahead, programs_of
from rnn_jax.ahead.targets import CHIPS, FIRST, LARGE, NEEDED, keep_to_compilers, open_target
from rnn_jax.cells import CELLS
from rnn_jax.errors import UserError
from rnn_jax.settings import to_flat, with_flat
from rnn_jax.unroll import UNROLLS, runs_itself
from tests.tasks.cases import CASES


@pytest.fixture(autouse=True, scope="module")
def nothing_is_kept():
    """The cache of compiled programs, in which programs for other machines cannot be found again."""
    compilation_cache.reset_cache()
    environment = dict(os.environ)
    yield
    os.environ.clear()
    os.environ.update(environment)
    jax.config.update("jax_enable_compilation_cache", True)
    compilation_cache.reset_cache()


@pytest.fixture(params=CHIPS)
def target(request):
    return opened(request.param)


def opened(platform, topology=None):
    keep_to_compilers()
    try:
        return open_target(platform, topology)
    except UserError as error:
        pytest.skip(str(error))


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
@pytest.mark.parametrize("large", [False, True], ids=["one host", "256 chips"])
def test_every_task_compiles(case, large, target):
    if large:
        target = opened(target.platform, LARGE[target.platform])
    words = {"vocabulary_size": 100} if "vocabulary_size" in to_flat(case.settings) else {}
    settings = with_flat(case.settings, batch_size=2 * len(target.devices), **words)
    programs = programs_of(case.recipe, settings, case.recipe.stand_in(settings), target.devices)
    found = compile_ahead(programs["training"], target)
    assert isinstance(found, Compiled), found
    assert found.memory > found.arguments > 0
    assert found.work.operations > 0
    assert any(each.operation == "all-reduce" for each in found.collectives)
    assert (found.cycles is not None) == (target.platform == "tpu")


PAIRS = [
    (name, unroll)
    for name, cell in CELLS.items()
    for unroll in UNROLLS
    if name == "lstm"
    or (runs_itself(unroll, cell) and unroll not in ("auto", "cudnn"))  # which choose others
]


@pytest.mark.parametrize(("cell", "unroll"), PAIRS)
def test_every_cell_compiles_in_every_unroll(cell, unroll, target):
    """In values and gradients, with lengths; an unroll that hands a cell on has been seen where it does."""
    params = CELLS[cell].init(jax.random.key(0), 8, 16)

    def loss(params, x, lengths):
        return UNROLLS[unroll](CELLS[cell], params, x, lengths).outputs.sum()

    one = SingleDeviceSharding(target.devices[0])
    arguments = jax.eval_shape(lambda: (params, jnp.ones((4, 6, 8)), jnp.ones(4, jnp.int32)))
    found = compile_ahead(Ahead(jax.jit(jax.grad(loss), in_shardings=one), arguments), target)
    assert isinstance(found, Compiled), found


@pytest.mark.parametrize("platform", CHIPS)
def test_an_unknown_topology_is_named_with_the_known_ones(platform):
    for name in ("v4:2x2", "v5e:3x3", "h100:3", "x"):
        with pytest.raises(
            UserError, match=f"topology {name} is not known, of the form {FIRST[platform]}"
        ) as error:
            open_target(platform, name)
        assert all(grid in str(error.value) for chip in CHIPS[platform].values() for grid in chip.grids)


@pytest.mark.parametrize("platform", CHIPS)
def test_a_compiler_that_is_missing_is_named(platform, monkeypatch):
    _, command = NEEDED[platform]
    monkeypatch.setattr("rnn_jax.ahead.targets.find_spec", lambda name: None)
    with pytest.raises(UserError, match="needs its compiler") as error:
        open_target(platform)
    assert command in str(error.value)
