"""Classification of texts of any kind with any number of labels: files of one's own, or data sets of TFDS."""

from dataclasses import dataclass, replace
from functools import partial
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from rnn_jax.cells.cell import Array
from rnn_jax.data import labelled_texts
from rnn_jax.data.batches import Batch
from rnn_jax.data.encoded_reviews import SPLIT_SEED
from rnn_jax.data.labelled_settings import LabelledSettings
from rnn_jax.data.log_count_ratios import count_ratios
from rnn_jax.data.preprocessor import TextPreprocessor
from rnn_jax.models import summarize
from rnn_jax.models.functional import ModelParams
from rnn_jax.tasks.labels import answers_of, count_f1
from rnn_jax.tasks.text_classifier import (
    ClassifierSettings,
    in_batches,
    make_classifier,
    make_model,
    read_preprocessor,
    report_by_length,
    shapes,
    stand_in,
)
from rnn_jax.training.recipe import Data, Places, Preprocessor, Recipe
from rnn_jax.training.task import Carry, Figures, Report, Selection, Sums, Task

NAME = "labelled_texts"


@dataclass(frozen=True)
class Settings(ClassifierSettings):
    """The settings of a run. The defaults are those of the reference LSTM for film reviews."""

    text: LabelledSettings = LabelledSettings()


def labels_of(preprocessor: Preprocessor) -> tuple[str, ...]:
    """The labels, by number."""
    return cast("TextPreprocessor", preprocessor).labels


def make(settings: Settings, preprocessor: Preprocessor) -> Task:
    """The task of these settings, for the labels of a preprocessor.

    Unlike film reviews, texts may have labels of any frequency: F1 is counted, too, and chooses the best
    epoch of more than two labels. Of equally good epochs, that with the lower loss is better.
    """
    labels = labels_of(preprocessor)
    task, many = make_classifier(NAME, settings, len(labels)), len(labels) > 2

    def evaluate(params: ModelParams, batch: Batch, carry: Carry) -> tuple[Sums, Carry, Array]:
        sums, carry, logits = task.evaluate(params, batch, carry)
        return sums | count_f1(logits, batch.columns["labels"], batch.weights), carry, logits

    return task._replace(
        evaluate=evaluate,
        figures=Figures(("loss", "accuracy", "macro_f1"), sizes={"macro_f1": len(labels)}),
        selection=Selection("macro_f1" if many else "accuracy", higher=True, among_equals="loss"),
        report=partial(report, labels),
    )


def report(labels: tuple[str, ...], logits: NDArray[np.float32] | None, test: Any) -> Report:
    """Accuracy by length, what always giving one answer would reach, and labels that are never answered."""
    fields, files = report_by_length(logits, test, "texts")
    if logits is not None:
        counts = np.bincount(test.columns["labels"], minlength=len(labels))
        given = np.bincount(answers_of(logits), minlength=len(labels))
        fields |= {
            "test_most_frequent": labels[counts.argmax()],
            "test_accuracy_of_most_frequent": float(counts.max() / counts.sum()),
            "test_never_answered": [labels[k] for k in np.flatnonzero((counts > 0) & (given == 0))],
        }
    return Report(fields, files)


def load(settings: Settings, places: Places) -> Data:
    """The texts; see `rnn_jax.data.labelled_texts.load` for errors."""
    return data_of(settings, labelled_texts.load(settings.text, *places))


def data_of(settings: Settings, texts: labelled_texts.LabelledTexts) -> Data:
    """The splits in batches, with log-count ratios where they are asked for, and there are two labels."""
    train, validation, test = texts.train, texts.validation, texts.test
    ratios, count = None, settings.text.log_count_ratios
    if count and len(texts.labels) == 2:
        ratios, given = count_ratios(train, texts.groups, count, SPLIT_SEED)
        train, validation, test = replace(train, ratios=given), ratios.add_to(validation), ratios.add_to(test)
    splits = in_batches(settings, train, validation, test, texts.test_words)
    train_split, validation_split, test_split = (
        replace(own, beside={**own.beside, "rows": rows, "tables": tables})
        for own, rows, tables in zip(splits, texts.rows, texts.tables, strict=True)
    )
    told = texts.labels, texts.text_column, texts.label_type
    preprocessor = TextPreprocessor(texts.vocabulary, ratios, *told)
    return Data(
        texts.name,
        "texts",
        train_split,
        validation_split,
        test_split,
        preprocessor,
        fingerprint=texts.fingerprint,
    )


RECIPE = Recipe(
    name=NAME,
    settings=Settings(),
    load=load,
    preprocessor=read_preprocessor,
    make=make,
    summary=lambda settings, preprocessor: summarize(
        make_model(settings, len(labels_of(preprocessor))), settings.text.max_length
    ),
    stand_in=stand_in,
    shapes=shapes,
    used_by="predict",
)
