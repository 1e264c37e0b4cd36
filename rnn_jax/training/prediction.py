"""A trained run, used: texts in, probabilities out."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import jax
import numpy as np
from numpy.typing import NDArray

from rnn_jax.cells.cell import Array
from rnn_jax.data.batches import Batch, make_batch, plan_evaluation
from rnn_jax.data.examples import finish_all, pack
from rnn_jax.data.vocabulary import split_words
from rnn_jax.errors import UserError
from rnn_jax.models.functional import split
from rnn_jax.training.run_directory import RunDirectory
from rnn_jax.training.weights import best_weights

MOST_CHARACTERS = 200_000  # many times the longest review of IMDb
MOST_ROWS = 128


class Predictor:
    """The best weights of a run, ready to classify texts.

    A text goes through what a training review went through: the same words, the same indices, the same cut.

    Raises:
        UserError: if the directory holds no run, or no checkpoint.
    """

    def __init__(self, workdir: str | Path) -> None:
        directory = RunDirectory(workdir)
        # The ways to unroll are equal, and this one is compiled at once.
        self.config = dataclasses.replace(directory.read_config(), unroll="dynamic")
        self._params = best_weights(directory)
        self.vocabulary = directory.read_vocabulary()
        self._ratios = directory.read_ratios() if self.config.log_count_ratios else None
        apply, _ = split(self.config.make_model)

        @jax.jit
        def probabilities(params: object, batch: Batch) -> Array:
            return jax.nn.sigmoid(apply(params, batch.tokens, batch.lengths, batch.ratios))

        self._probabilities = probabilities

    def __call__(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """The probability that each text is positive, `[N]`.

        Raises:
            UserError: if a text holds no word, or is far longer than any review, naming which.
        """
        for number, text in enumerate(texts, 1):
            check_text(text, number)
        encoded = pack(map(self.vocabulary.encode, texts), np.zeros(len(texts), np.int8))
        examples = finish_all(encoded, self.vocabulary.size, self.config.max_length, self.config.truncate)
        if self._ratios is not None:
            examples = self._ratios.add_to(examples)
        rows = min(len(texts), MOST_ROWS)
        answers = np.zeros(len(texts), np.float32)
        for plan in plan_evaluation(examples.lengths, (self.config.max_length,), rows) if texts else []:
            batch = make_batch(examples, plan, rows)
            answers[plan.indices] = self._probabilities(self._params, batch)[: len(plan.indices)]
        return answers


def check_text(text: str, number: int) -> None:
    """Raises UserError if a text cannot be classified, naming it by its number."""
    if len(text) > MOST_CHARACTERS:
        raise UserError(
            f"text {number} has {len(text):,} characters: a review has at most {MOST_CHARACTERS:,}; split it"
        )
    if not split_words(text):
        raise UserError(f"text {number} holds no words: give a review in words")
