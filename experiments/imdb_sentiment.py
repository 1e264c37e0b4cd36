"""Trains a recurrent network on the sentiment of film reviews, and evaluates it.

The same command again goes on where it was stopped, or reports a run that has finished.
"""

import shlex
from dataclasses import dataclass
from typing import Any, Literal, cast

import numpy as np

from experiments.command_line import Place, run
from experiments.presets import PRESETS, PresetName, settle
from experiments.training import Script, TrainingOptions, devices, python, read_options, train
from rnn_jax.data.batches import Bucketed
from rnn_jax.data.preprocessor import TextPreprocessor
from rnn_jax.settings import require
from rnn_jax.tasks import open_as
from rnn_jax.tasks.pseudo_labels import teach
from rnn_jax.tasks.text_classification import RECIPE, Settings
from rnn_jax.training.loop import Run
from rnn_jax.training.recipe import Data, Places, Preprocessor, Recipe


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


def text(preprocessor: Preprocessor) -> TextPreprocessor:
    """A preprocessor of this task, which is one of texts."""
    return cast("TextPreprocessor", preprocessor)


def plan(run: Run) -> str:
    """What would be trained, on what, and in how many steps."""
    data, train = run.data, cast("Bucketed", run.data.train)
    unlabelled = int(train.beside["unlabelled"])
    also = f" ({unlabelled:,} of them without a label)" if unlabelled else ""
    example = text(data.preprocessor).vocabulary.decode(train.columns["tokens"][0][:24])
    return (
        f"{RECIPE.summary(run.settings, data.preprocessor)}\n"
        f"{data.name} reviews: {len(data.train):,} to train on{also}, {len(data.validation):,} to validate, "
        f"{len(data.test):,} to test; the first, as the network reads it:\n"
        f"    {example} …\n"
        f"{run.training.epochs} epochs of {run.epoch_steps} steps, {run.training.batch_size} reviews a step "
        f"on {devices(run)}, padded to {', '.join(map(str, train.boundaries))} tokens"
    )


def first_answer(run: Run) -> str:
    """The first test review decoded back to words, its label, and what the network makes of it."""
    if run.test_outputs is None:
        return ""
    test, names = cast("Bucketed", run.data.test).columns, ("negative", "positive")
    words = text(run.data.preprocessor).vocabulary.decode(test["tokens"][0][:24])
    positive = 1 / (1 + np.exp(-float(run.test_outputs[0])))
    return (
        f"The first test review, decoded: {words} …\n"
        f"    it is {names[test['labels'][0]]}, and the network says "
        f"{names[int(positive > 0.5)]}, {max(positive, 1 - positive):.1%}\n"
    )


def report(result: dict[str, Any], workdir: str, run: Run | None) -> str:
    """What came out, an answer, and how to use it."""
    network = result["cell"] if result["network"] == "recurrent" else result["network"]
    tested = "test split not read"
    if result["test_examples"]:
        tested = f"test accuracy {result['test_accuracy']:.2%} on {result['test_examples']:,} reviews"
    chosen = f"the last of {result['epochs_run']} epochs"
    if result["validation_accuracy"] is not None:
        chosen = (
            f"validation {result['validation_accuracy']:.2%}, "
            f"best of {result['epochs_run']} epochs: {result['best_epoch']}"
        )
    return (
        f"{result['dataset']} reviews, {network}: {tested} ({chosen}) · "
        f"{result['train_seconds']:.0f} s of training · {result['examples_per_second']:,.0f} reviews/s\n"
        f"{'' if run is None else first_answer(run)}"
        "Classify a review of your own:\n"
        f"    {python()} -m experiments.predict "
        f'--workdir {shlex.quote(workdir)} "I expected little, and got a wonderful film."'
    )


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
    return train(Script("imdb_sentiment", recipe_for(options), settled, plan, report), options)


if __name__ == "__main__":
    run(main)
