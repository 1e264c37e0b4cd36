"""The programs of a task, as they run on many devices: ready to be compiled, from shapes alone."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import jax
from jax.sharding import SingleDeviceSharding

from rnn_jax.settings import require
from rnn_jax.training.evaluation import evaluation_work
from rnn_jax.training.parallel import map_ahead
from rnn_jax.training.program import STEP_AXES, make_work
from rnn_jax.training.recipe import Preprocessor, Recipe, Settings
from rnn_jax.training.step import EvaluationState
from rnn_jax.training.task import zeros

USED = 128  # examples that a trained network is asked of at once
STEPS = 10_000  # of a run; how many there are does not change its program


class Ahead(NamedTuple):
    """A program, and the shapes of its arguments."""

    function: Any  # as `jax.jit` returns it
    arguments: tuple[Any, ...]

    def trace(self) -> Any:
        """Traces it; `lower` and `compile` follow."""
        return self.function.trace(*self.arguments)


def programs_of(
    recipe: Recipe, settings: Settings, preprocessor: Preprocessor, devices: Sequence[Any]
) -> dict[str, Ahead]:
    """A step of training, one of evaluation, and one use of a trained network, by name.

    Batches are shared by the devices and as long as they may be. A network is used on one device.

    Args:
        recipe: of the task.
        settings: of the run; the batch size is that over all devices.
        preprocessor: of the run, or one that stands in for it.
        devices: they need not be here.

    Raises:
        UserError: if the batch cannot be shared evenly.
    """
    rows, count = settings.training.batch_size, len(devices)
    words = f"cannot be shared evenly by {count} devices: choose a multiple of {count}"
    require(rows % count == 0, "batch_size", rows, words)
    parts = settings.training.accumulate
    require(rows // count % parts == 0, "accumulate", parts, f"cannot share {rows // count} examples evenly")
    task = recipe.make(settings, preprocessor)
    work = make_work(task, settings.training, STEPS)
    shapes, used = (recipe.shapes(settings, preprocessor, n) for n in (rows, min(rows, USED)))
    params = jax.eval_shape(task.init)
    state = jax.eval_shape(work.init_state, params)
    key = jax.eval_shape(lambda: jax.random.key(0))

    def replicated(tree: Any) -> Any:
        return jax.tree.map(lambda x: jax.ShapeDtypeStruct((count, *x.shape), x.dtype), tree)

    def shared(tree: Any) -> Any:
        def share(x: Any) -> Any:
            return jax.ShapeDtypeStruct((count, x.shape[0] // count, *x.shape[1:]), x.dtype)

        return jax.tree.map(share, tree)

    batch, one = shared(shapes.batch), SingleDeviceSharding(devices[0])
    evaluated = shared(shapes.evaluation or shapes.batch)
    sums = jax.eval_shape(lambda: zeros(task.figures.counted, task.figures.sizes))
    carry = shared(state.carry)
    training = replicated(state._replace(carry=()))._replace(carry=carry)
    evaluation = EvaluationState(replicated(sums), carry)
    return {
        "training": Ahead(map_ahead(work.step, devices, STEP_AXES), (training, batch, key)),
        "evaluation": Ahead(
            map_ahead(evaluation_work(task), devices, (0, 0, 0)), (evaluation, replicated(params), evaluated)
        ),
        "use": Ahead(jax.jit(used.use, in_shardings=one), (params, *used.inputs)),
    }
