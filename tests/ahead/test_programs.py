"""What is compiled ahead of time is what a run does: the same step, on the devices that are here."""

import jax
import numpy as np
import pytest

from rnn_jax.ahead.compiling import Refused, largest_batch
from rnn_jax.ahead.programs import programs_of
from rnn_jax.errors import UserError
from rnn_jax.settings import with_flat
from rnn_jax.tasks import TASKS
from rnn_jax.training.evaluation import make_evaluator
from rnn_jax.training.program import make_program
from rnn_jax.training.step import EvaluationState
from rnn_jax.training.task import zeros
from tests.conftest import need_devices
from tests.tasks.cases import CASES

FIRST = {case.recipe.name: name for name, case in reversed(CASES.items())}.values()  # of each task
each_task = pytest.mark.parametrize(
    "case",
    [
        pytest.param(case, id=name, marks=() if name in FIRST else pytest.mark.slow)
        for name, case in CASES.items()
    ],
)


def filled(shapes):
    """Arguments of these shapes: ones, of which all tokens and lengths are possible."""
    return jax.tree.map(lambda x: np.ones(x.shape, x.dtype), shapes)


@each_task
def test_a_step_compiled_ahead_is_the_step_of_a_run(case):
    need_devices(2)
    data = case.data()
    task = case.recipe.make(case.settings, data.preprocessor)
    program = make_program(task, case.settings.training, 10_000, 2)
    ahead = programs_of(case.recipe, case.settings, data.preprocessor, jax.devices()[:2])["training"]
    compiled = ahead.trace().lower().compile()
    _, batch, _ = filled((None, ahead.arguments[1], None))
    key = jax.random.key(3)
    start = lambda: program.parallel.put(program.init_state(task.init()))  # noqa: E731
    expected = program.parallel.get(program.step(start(), batch, key))
    found = program.parallel.get(compiled(start(), batch, key))
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=1e-6, rtol=1e-5), found, expected)


@each_task
def test_so_is_evaluation_and_use(case):
    need_devices(2)
    data = case.data()
    task, size = case.recipe.make(case.settings, data.preprocessor), case.settings.training.batch_size
    programs = programs_of(case.recipe, case.settings, data.preprocessor, jax.devices()[:2])
    evaluator = make_evaluator(task, size, 2)
    parallel, params = evaluator.parallel, task.init()
    state = lambda: EvaluationState(  # noqa: E731
        parallel.replicate(zeros(task.figures.counted, task.figures.sizes)),
        parallel.distribute(task.initial_carry(size)),
    )
    batch = filled(programs["evaluation"].arguments[2])
    replicas = parallel.replicate(params)
    expected, _ = evaluator._step(state(), replicas, batch)
    found, _ = programs["evaluation"].trace().lower().compile()(state(), replicas, batch)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-5), found.sums, expected.sums)
    use = programs["use"]
    answers = use.trace().lower().compile()(params, *filled(use.arguments[1:]))
    assert all(np.isfinite(each).all() for each in jax.tree.leaves(answers))


def test_a_batch_that_devices_cannot_share_is_refused():
    recipe = TASKS["text_classification"]
    settings = with_flat(recipe.settings, batch_size=6)
    devices = jax.devices()[:1] * 4
    with pytest.raises(UserError, match="--batch-size 6: cannot be shared evenly by 4 devices: choose a mul"):
        programs_of(recipe, settings, recipe.stand_in(settings), devices)


@pytest.mark.parametrize(
    ("most", "first", "found"), [(100, 8, 64), (3, 16, 2), (0, 16, None), (10**9, 8, 1024)]
)
def test_the_largest_batch_is_found_by_doubling(most, first, found):
    assert largest_batch(lambda n: Refused("") if n > most else None, first, 1, 1024) == found


def test_a_batch_is_not_halved_below_what_can_be_shared():
    tried = []
    assert largest_batch(lambda n: tried.append(n) or Refused(""), 32, 8, 1024) is None
    assert tried == [32, 16, 8]


def test_a_compiler_that_fails_is_no_lack_of_memory():
    with pytest.raises(UserError, match="the compiler fails at a batch of 8: internal error"):
        largest_batch(lambda n: Refused("internal error", too_large=False), 8, 1, 1024)
