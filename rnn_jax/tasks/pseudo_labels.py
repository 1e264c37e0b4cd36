"""Labels for reviews that nobody has labelled: what a trained network, the teacher, makes of them.

D.-H. Lee, "Pseudo-Label: The Simple and Efficient Semi-Supervised Learning Method for Deep Neural Networks",
ICML workshop 2013. Variant: labels are the teacher's probabilities (G. Hinton, O. Vinyals and J. Dean, 2015,
arXiv:1503.02531), made once, and the student starts anew.
"""

from dataclasses import replace
from typing import cast

import numpy as np
from numpy.typing import NDArray

from rnn_jax.data.batches import Bucketed
from rnn_jax.data.buckets import choose_boundaries
from rnn_jax.data.dataset import unlabelled_reviews
from rnn_jax.data.examples import NO_LABEL, Examples, finish_all
from rnn_jax.data.preprocessor import TextPreprocessor
from rnn_jax.errors import UserError
from rnn_jax.tasks.text_classification import Settings
from rnn_jax.training.evaluation import make_evaluator
from rnn_jax.training.parallel import set_up_devices
from rnn_jax.training.recipe import Data, Places
from rnn_jax.training.weights import Opened

BATCH_SIZE = 128  # reviews that the teacher reads at once


def teach(data: Data, settings: Settings, teacher: Opened, places: Places) -> Data:
    """The data of a student: its unlabelled reviews have the teacher's labels, and `teacher_weight`.

    Raises:
        UserError: if the teacher has been trained on what the student is validated on, or reads bytes.
    """
    if teacher.settings.text.refit and not settings.text.refit:
        raise UserError("--teacher has been trained on what is held out here: use --refit, too")
    if teacher.settings.text.tokens == "bytes":
        raise UserError("--teacher reads bytes, and unlabelled reviews are read as words: choose another run")
    preprocessor = cast("TextPreprocessor", teacher.preprocessor)
    reviews = unlabelled_reviews(preprocessor.vocabulary, *places)
    return with_labels(data, answers(teacher, reviews), settings.teacher_weight)


def answers(teacher: Opened, reviews: Examples) -> NDArray[np.float32]:
    """How probable it is that each of N reviews is positive, `[N]`; their words are the teacher's, uncut."""
    text, preprocessor = teacher.settings.text, cast("TextPreprocessor", teacher.preprocessor)
    read = finish_all(reviews, text.vocabulary_size, text.max_length, text.truncate)
    if preprocessor.ratios is not None:
        read = preprocessor.ratios.add_to(read)
    boundaries = choose_boundaries(read.lengths, text.max_length, text.buckets)
    split = Bucketed(read.columns, read.lengths, boundaries, BATCH_SIZE)
    logits = make_evaluator(teacher.task, BATCH_SIZE, set_up_devices(None, BATCH_SIZE))(
        teacher.params, split
    ).outputs
    return 1 / (1 + np.exp(-logits))


def with_labels(data: Data, probabilities: NDArray[np.float32], weight: float) -> Data:
    """The data, with these labels for the reviews that have none, in their order."""
    train = cast("Bucketed", data.train)
    labels = np.array(train.columns["labels"], np.float32)
    importance = np.where(labels == NO_LABEL, np.float32(weight), np.float32(1))
    labels[labels == NO_LABEL] = probabilities
    columns = {**train.columns, "labels": labels, "importance": importance}
    return data._replace(train=replace(train, columns=columns))
