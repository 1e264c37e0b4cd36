"""What can be learnt: one file a task, a record of pure functions, and the table of tasks by name.

A new task is a new file here, written after `text_classification.py`, a name in `RECIPES`, and a short script
in `experiments/`; the loop, checkpoints, evaluation and the tests that every task passes then know it.
`rnn_jax/training/task.py` says what a task is, `rnn_jax/training/recipe.py` what it is made from.
"""

from pathlib import Path
from typing import Any

from rnn_jax.errors import UserError
from rnn_jax.tasks import (
    captioning,
    digits,
    forecasting,
    handwriting,
    labelled_texts,
    language_model,
    pen_digits,
    promoters,
    spoken_digits,
    text_classification,
    translation,
)
from rnn_jax.training.recipe import Recipe
from rnn_jax.training.run_directory import RunDirectory
from rnn_jax.training.weights import Opened, open_run

RECIPES = (
    *(text_classification.RECIPE, labelled_texts.RECIPE, language_model.RECIPE),
    *(digits.RECIPE, pen_digits.RECIPE, spoken_digits.RECIPE, promoters.RECIPE),
    *(handwriting.RECIPE, forecasting.RECIPE, translation.RECIPE, captioning.RECIPE),
)
TASKS: dict[str, Recipe] = {recipe.name: recipe for recipe in RECIPES}


def recipe_of(workdir: str | Path) -> Recipe:
    """The recipe of the run in a directory.

    Raises:
        UserError: if it holds no run, or one of a task that is not known.
    """
    name = RunDirectory(workdir).read_task()
    if name not in TASKS:
        raise UserError(f"{workdir} holds a run of an unknown task {name!r}: known are {', '.join(TASKS)}")
    return TASKS[name]


def open_as(recipe: Recipe, workdir: str | Path, **neutral: Any) -> Opened:
    """Opens a run of one task; see `rnn_jax.training.weights.open_run`.

    Raises:
        UserError: if it is of another task, naming the script that uses it, or cannot be opened.
    """
    found = recipe_of(workdir)
    if found is not recipe:
        raise UserError(
            f"{workdir} holds a run of {found.name}, and not of {recipe.name}: "
            f"python -m experiments.{found.used_by} uses it"
        )
    return open_run(workdir, recipe, **neutral)
