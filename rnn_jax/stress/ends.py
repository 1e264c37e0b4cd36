"""What a run has ended with, down to the last bit."""

from pathlib import Path
from typing import Any

import jax
import numpy as np

from rnn_jax.tasks import recipe_of
from rnn_jax.tasks.predictor import Predictor
from rnn_jax.tasks.text_classification import RECIPE
from rnn_jax.training.checkpoints import Checkpoint, Checkpoints
from rnn_jax.training.program import make_program
from rnn_jax.training.run_directory import TIMES, RunDirectory

NEVER_ALIKE = TIMES | {"command", "commit"}  # a commit meanwhile, of a page of text, is no difference
TEXTS = (
    "A wonderful film.",
    "It was dull, and far too long.",
    "I expected little, and was not disappointed.",
)


def end_of(workdir: Path) -> dict[str, Any]:
    """Everything that two equal runs share, by name; arrays as bytes."""
    directory = RunDirectory(workdir)
    recipe = recipe_of(workdir)
    settings = directory.read(recipe.name, recipe.settings)
    task = recipe.make(settings, recipe.preprocessor(settings, directory.path))
    like = jax.device_get(make_program(task, settings.training, 1, 1).init_state(task.init()))
    checkpoints = Checkpoints(directory.checkpoints)
    step = checkpoints.newest()
    found = checkpoints.restore(step or 0, Checkpoint(like, like.params, {}))
    arrays = jax.tree_util.tree_leaves_with_path({"state": found.state, "best": found.best})
    return {
        "step": step,
        "log": [_comparable(record) for record in directory.read_metrics()],
        "result": _comparable(directory.read_result() or {}),
        "predictions": Predictor(workdir)(TEXTS).tobytes() if recipe is RECIPE else b"",
        **{jax.tree_util.keystr(path): np.asarray(array).tobytes() for path, array in arrays},
    }


def differences(end: dict[str, Any], other: dict[str, Any]) -> list[str]:
    """The names of what is not the same."""
    return sorted(name for name in end.keys() | other.keys() if end.get(name) != other.get(name))


def _comparable(record: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in record.items() if name not in NEVER_ALIKE}
