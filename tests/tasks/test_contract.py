"""What every task keeps, whatever it learns."""

import ast
import inspect
import io
from itertools import pairwise

import jax
import numpy as np
import pytest
from rich.console import Console

from rnn_jax.settings import fields, to_flat, with_flat
from rnn_jax.tasks import TASKS, recipe_of
from rnn_jax.training.checkpoints import Checkpoint, Checkpoints
from rnn_jax.training.evaluation import make_evaluator
from rnn_jax.training.loop import Pace, Run
from rnn_jax.training.run_directory import RunDirectory
from rnn_jax.training.task import Task
from rnn_jax.training.weights import open_run
from tests.conftest import need_devices
from tests.tasks.cases import CASES
from tests.training.runs import metrics_of, timeless

each_task = pytest.mark.parametrize("case", CASES.values(), ids=CASES)


def run_of(case, path, devices=1, save_every=1):
    data = case.data()
    return Run(
        case.recipe.make(case.settings, data.preprocessor),
        data,
        case.settings,
        RunDirectory(path),
        num_devices=devices,
        pace=Pace(log_every=1, save_every=save_every),
        console=Console(file=io.StringIO()),
    )


def end_of(run):
    """Everything in the last checkpoint."""
    like = jax.device_get(run._program.init_state(run.task.init()))
    checkpoints = Checkpoints(run.directory.checkpoints)
    return checkpoints.restore(checkpoints.newest(), Checkpoint(like, like.params, {}))[:2]


def test_every_task_has_a_case():
    """Or is made by the same function as one that has."""
    made = {case.recipe.make.__code__ for case in CASES.values()}
    assert made == {recipe.make.__code__ for recipe in TASKS.values()}


def test_a_task_is_a_small_record():
    assert len(Task._fields) <= 12


@pytest.mark.parametrize("all_steps", [False, pytest.param(True, marks=pytest.mark.slow)])
@each_task
def test_resumed_at_every_step_it_is_the_same_run(case, all_steps, tmp_path, monkeypatch):
    """To the last bit, what a batch leaves to the next included."""
    whole = run_of(case, tmp_path / "whole")
    result = whole.train("command")
    assert whole.total_steps <= 16
    path, some = tmp_path / "again", (whole.epoch_steps, whole.epoch_steps + 1)
    for step in range(1, whole.total_steps) if all_steps else some:  # one run, stopped at each of these
        stopped = run_of(case, path)
        batch = type(stopped.data.train).batch

        def crash(split, plan, rows, stopped=stopped, step=step, batch=batch):
            if split is stopped.data.train and stopped._step == step:
                raise RuntimeError("the machine is gone")
            return batch(split, plan, rows)

        with monkeypatch.context() as patch:
            patch.setattr(type(stopped.data.train), "batch", crash)
            with pytest.raises(RuntimeError, match="gone"):
                stopped.train("command")
    again = run_of(case, path)
    assert timeless([again.train("command")]) == timeless([result])
    assert metrics_of(path) == metrics_of(tmp_path / "whole")
    jax.tree.map(np.testing.assert_array_equal, end_of(again), end_of(whole))


@each_task
def test_what_a_batch_leaves_to_the_next_is_not_ignored(case, tmp_path):
    """Where a task carries anything: without it, a step does something else."""
    run = run_of(case, tmp_path)
    state = run._parallel.put(run._program.init_state(run.task.init()))
    first, second = run.data.train.epoch(0, 0)[:2]
    shard = lambda plan: run._parallel.shard(run.data.train.batch(plan, run._parallel.rows))  # noqa: E731
    state = run._parallel.get(run._program.step(state, shard(first), run._key))
    if not jax.tree.leaves(state.carry):
        pytest.skip("it carries nothing")
    zeroed = state._replace(carry=jax.tree.map(np.zeros_like, state.carry))
    ends = [
        run._parallel.get(run._program.step(run._parallel.put(each), shard(second), run._key))
        for each in (state, zeroed)
    ]
    loss = run.task.metrics.names[0]
    assert ends[0].sums[loss].total != ends[1].sums[loss].total


@each_task
def test_two_devices_do_what_one_does(case, tmp_path):
    """But for the order in which floats are added up."""
    need_devices(2)
    one, two = (run_of(case, tmp_path / str(devices), devices, 100) for devices in (1, 2))
    one.train("command")
    two.train("command")
    for a, b in zip(jax.tree.leaves(end_of(one)), jax.tree.leaves(end_of(two)), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-4, rtol=1e-3)


@each_task
def test_parts_of_a_batch_one_after_the_other_do_what_all_of_it_does(case, tmp_path):
    """Noise and what is carried over included."""
    need_devices(2)
    ends = []
    for parts in (1, 2):
        run = run_of(case._replace(settings=with_flat(case.settings, accumulate=parts)), tmp_path, 2)
        state = run._parallel.put(run._program.init_state(run.task.init()))
        for plan in run.data.train.epoch(0, 0)[:3]:
            batch = run._parallel.shard(run.data.train.batch(plan, run._parallel.rows))
            state = run._program.step(state, batch, run._key)
        ends.append(run._parallel.get(state))
    for one, two in zip(*map(jax.tree.leaves, ends), strict=True):
        np.testing.assert_allclose(one, two, atol=1e-4, rtol=1e-3)


@each_task
def test_evaluation_counts_each_example_once(case):
    """On one device and on two: the same figures, from as many terms."""
    data = case.data()
    task, size = case.recipe.make(case.settings, data.preprocessor), case.settings.training.batch_size
    params = task.init()
    found = [make_evaluator(task, size, devices)(params, data.test) for devices in (1, 2)]
    assert tuple(found[0].figures) == task.figures.names
    seen = []
    watched = task._replace(figures=task.figures._replace(score=lambda sums, _: seen.append(sums) or {}))
    make_evaluator(watched, size, 1)(params, data.test)
    terms = {float(m.number) for name, m in seen[0].items() if name not in task.figures.sizes}
    assert terms == {float(case.terms(data.test))}
    assert found[1].figures == pytest.approx(found[0].figures, rel=1e-5)
    for one, two in zip(*(jax.tree.leaves(each.outputs) for each in found), strict=True):
        assert len(one) == len(data.test)
        np.testing.assert_allclose(one, two, atol=1e-5)


@each_task
def test_its_shapes_are_those_of_its_batches(case):
    """And what is asked of a trained network takes the shapes that it says."""
    data = case.data()
    plan = max(data.train.epoch(0, 0), key=lambda plan: plan.length)
    rows = case.settings.training.batch_size
    batch = data.train.batch(plan, range(rows))
    shapes = case.recipe.shapes(case.settings, data.preprocessor, rows)

    def same(shape, array):
        assert (shape.ndim, shape.dtype) == (array.ndim, array.dtype)
        assert all(most >= size for most, size in zip(shape.shape, array.shape, strict=True))
        assert shape.shape[0] == array.shape[0] == rows

    jax.tree.map(same, shapes.batch, batch)
    task = case.recipe.make(case.settings, data.preprocessor)
    answers = jax.eval_shape(shapes.use, task.init(), *shapes.inputs)
    assert jax.tree.leaves(answers)


@each_task
def test_what_stands_in_for_its_data_makes_a_task(case):
    preprocessor = case.recipe.stand_in(case.settings)
    shapes = case.recipe.shapes(case.settings, preprocessor, 4)
    task = case.recipe.make(case.settings, preprocessor)
    sums, _, _ = jax.eval_shape(task.evaluate, task.init(), shapes.batch, task.initial_carry(4))
    assert set(sums) == set(task.figures.counted)
    assert len(preprocessor.row_names()) == to_flat(case.settings).get("vocabulary_size", 0)


@each_task
def test_a_run_is_used_without_its_dataset(case, tmp_path):
    """Settings, preprocessor and weights come back; the figures are those that it recorded."""
    run = run_of(case, tmp_path, save_every=100)
    result = run.train("command")
    recipe = recipe_of(tmp_path)
    assert recipe is case.recipe
    opened = open_run(tmp_path, recipe)
    assert opened.settings == case.settings
    size = case.settings.training.batch_size
    again = make_evaluator(opened.task, size, 1)(opened.params, run.data.test)
    assert again.figures == {name: result[f"test_{name}"] for name in opened.task.figures.names}


@pytest.mark.parametrize("recipe", TASKS.values(), ids=TASKS)
def test_settings_have_names_of_their_own_and_say_what_they_are(recipe):
    names = [field.name for field in fields(recipe.settings)]
    assert len(set(names)) == len(names)
    assert to_flat(recipe.settings).keys() == set(names)

    def documented(settings):
        body = ast.parse(inspect.getsource(type(settings))).body[0].body
        for field, after in pairwise(body):
            if isinstance(field, ast.AnnAssign):
                value = getattr(settings, field.target.id)
                if hasattr(value, "__dataclass_fields__"):
                    documented(value)
                else:
                    assert isinstance(after, ast.Expr), field.target.id
                    assert isinstance(after.value.value, str), field.target.id

    documented(recipe.settings)
