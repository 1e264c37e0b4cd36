"""A trained run, used: texts in, probabilities out."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import jax
import numpy as np
from numpy.typing import NDArray

from rnn_jax.cells.cell import Array
from rnn_jax.data.batches import Batch, make_batch, plan_evaluation
from rnn_jax.data.examples import finish, finish_all, pack
from rnn_jax.data.vocabulary import UNKNOWN, split_words
from rnn_jax.errors import UserError
from rnn_jax.models.explanation import Explanation, explain, ratios_of
from rnn_jax.models.functional import split
from rnn_jax.training.run_directory import RunDirectory
from rnn_jax.training.weights import best_weights

MOST_CHARACTERS = 200_000  # many times the longest review of IMDb
MOST_ROWS = 128


class Look(NamedTuple):
    """What a network made of one text: of each of its words, after the start."""

    words: list[str]  # [T - 1], as they were read; a long text is cut as in training
    explanation: Explanation  # of the start and the words
    known: list[bool]  # [T - 1], whether the network knows the word


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
        self._apply = apply = split(self.config.make_model)[0]

        @jax.jit
        def probabilities(params: object, batch: Batch) -> Array:
            return jax.nn.sigmoid(apply(params, batch.tokens, batch.lengths, batch.ratios))

        self._probabilities = probabilities

    def explain(self, text: str) -> Look:
        """Which words moved the answer to a text.

        Raises:
            UserError: if the text holds no word, or is far longer than any review.
        """
        words, tokens = self._read(text)
        explanation = explain(self._apply, self._params, tokens, self._ratios)
        return Look(words, explanation, [token != UNKNOWN for token in tokens[1:]])

    def gates(self, text: str) -> tuple[list[str], dict[str, NDArray[np.float32]]]:
        """The words of a text, and the gates of the first recurrent layer at each, `{name: [words, H]}`.

        Raises:
            UserError: as `explain`, or if the network or its cell does not say what its gates are.
        """
        words, tokens = self._read(text)
        ratios = ratios_of(tokens[None], self._ratios)[0]
        gates = self._apply(self._params, tokens, ratios, method="gates")
        return words, {name: np.asarray(values)[1:] for name, values in gates.items()}

    def _read(self, text: str) -> tuple[list[str], NDArray[np.int32]]:
        check_text(text, 1)
        config = self.config
        tokens = finish(
            self.vocabulary.encode(text), self.vocabulary.size, config.max_length, config.truncate
        )
        words, kept = split_words(text), len(tokens) - 1
        return (words[-kept:] if config.truncate == "head" else words[:kept]), tokens

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
