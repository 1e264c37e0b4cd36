"""Classification of film reviews into positive and negative ones: IMDb, or synthetic ones."""

from dataclasses import dataclass
from typing import Annotated

from rnn_jax.data import dataset as datasets
from rnn_jax.data.examples import concatenate
from rnn_jax.data.preprocessor import TextPreprocessor
from rnn_jax.models import summarize
from rnn_jax.settings import at_least, require
from rnn_jax.tasks.text_classifier import (
    ClassifierSettings,
    in_batches,
    make_classifier,
    make_model,
    read_preprocessor,
    shapes,
    stand_in,
)
from rnn_jax.training.recipe import Data, Places, Preprocessor, Recipe
from rnn_jax.training.task import Task

NAME = "text_classification"


@dataclass(frozen=True)
class Settings(ClassifierSettings):
    """The settings of a run. The defaults are the reference LSTM, found by `experiments.search`."""

    text: datasets.TextSettings = datasets.TextSettings()
    teacher_weight: Annotated[float, at_least(0)] = 0.0
    """Weight of an unlabelled review with the label that --teacher gives it; a labelled one has 1."""

    def check(self) -> None:
        """Raises UserError for what has nothing to go by."""
        super().check()
        used = self.virtual_adversarial > 0 or self.teacher_weight > 0
        words = "needs --virtual-adversarial or --teacher-weight"
        require(used or not self.text.unlabelled, "unlabelled", True, words)
        unlabelled = self.text.unlabelled or not self.teacher_weight
        require(unlabelled, "teacher_weight", self.teacher_weight, "needs --unlabelled")


def make(settings: Settings, preprocessor: Preprocessor | None = None) -> Task:
    """The task of these settings; a preprocessor tells it nothing more."""
    return make_classifier(NAME, settings)


def load(settings: Settings, places: Places) -> Data:
    """The reviews; see `rnn_jax.data.dataset.load` for errors."""
    return data_of(settings, datasets.load(settings.text, *places))


def data_of(settings: Settings, dataset: datasets.Dataset) -> Data:
    """The splits of a dataset in batches, padded to lengths that fit the training split."""
    trained = dataset.train if dataset.unlabelled is None else concatenate(dataset.train, dataset.unlabelled)
    splits = in_batches(settings, trained, dataset.validation, dataset.test, dataset.test_words)
    return Data(dataset.name, "reviews", *splits, TextPreprocessor(dataset.vocabulary, dataset.ratios))


RECIPE = Recipe(
    name=NAME,
    settings=Settings(),
    load=load,
    preprocessor=read_preprocessor,
    make=make,
    summary=lambda settings, preprocessor: summarize(make_model(settings), settings.text.max_length),
    stand_in=stand_in,
    shapes=shapes,
    used_by="predict",
)
