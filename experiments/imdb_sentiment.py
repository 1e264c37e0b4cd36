"""Trains a recurrent network on the sentiment of film reviews, and evaluates it.

The same command again goes on where it was stopped, or reports a run that has finished.
"""

from dataclasses import dataclass
from typing import Any, Literal, cast

from experiments import classification
from experiments.command_line import Place, run
from experiments.presets import PRESETS, PresetName, settle
from experiments.training import Script, TrainingOptions, read_options, train
from rnn_jax.settings import require
from rnn_jax.tasks import open_as
from rnn_jax.tasks.pseudo_labels import teach
from rnn_jax.tasks.text_classification import RECIPE, Settings
from rnn_jax.training.loop import Run
from rnn_jax.training.recipe import Data, Places, Recipe


@dataclass(frozen=True, kw_only=True)
class Options(TrainingOptions):
    """Trains a recurrent network on the sentiment of film reviews, and evaluates it on the test split.

    The same command again goes on where it was stopped, or reports a run that has finished.
    """

    settings: Settings
    teacher: Place | None = None
    """Label the unlabelled reviews with the probabilities of the run in this directory, for
    --teacher-weight."""
    preset: PresetName = "lstm"
    """Settings to start from; the options below change them. Synthetic reviews get some of their own."""


def report(result: dict[str, Any], workdir: str, run: Run | None) -> str:
    """What came out, an answer, and how to use it."""
    example = '"I expected little, and got a wonderful film."'
    return classification.report(result, workdir, run, "reviews", example)


def recipe_for(options: Options) -> Recipe:
    """The recipe, whose unlabelled reviews have the labels of a teacher, if there is one."""
    teacher = options.teacher
    if teacher is None:
        return RECIPE

    def load(settings: Settings, places: Places) -> Data:
        opened = open_as(RECIPE, teacher)
        return teach(RECIPE.load(settings, places), settings, opened, places)

    return RECIPE._replace(load=load)


def main() -> int:
    """Trains, or reports what was trained."""
    options = read_options(Options, PRESETS, "lstm")

    def settled(dataset: str | None) -> Settings | None:
        asked = options.settings.text.dataset
        name = dataset or (None if asked == "auto" else asked)
        if name is None:
            return None
        return settle(options.settings, options.preset, cast('Literal["imdb", "synthetic"]', name))

    weight = options.settings.teacher_weight
    require((weight > 0) == (options.teacher is not None), "teacher_weight", weight, "goes with --teacher")
    return train(Script("imdb_sentiment", recipe_for(options), settled, classification.plan, report), options)


if __name__ == "__main__":
    run(main)
