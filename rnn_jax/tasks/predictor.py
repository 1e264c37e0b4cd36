"""A trained run, used: texts in, probabilities out."""

from collections.abc import Iterable, Mapping, Set
from pathlib import Path
from typing import NamedTuple, cast, overload

import jax
import numpy as np
from numpy.typing import NDArray

from rnn_jax.cells.cell import Array
from rnn_jax.data.batches import Batch, Bucketed
from rnn_jax.data.examples import finish, finish_all, pack
from rnn_jax.data.preprocessor import TextPreprocessor
from rnn_jax.data.vocabulary import UNKNOWN, split_words
from rnn_jax.errors import UserError
from rnn_jax.models.explanation import Explanation, explain, ratios_of
from rnn_jax.models.functional import ModelParams, split
from rnn_jax.tasks import open_as
from rnn_jax.tasks.text_classification import RECIPE
from rnn_jax.tasks.text_classifier import make_model

MOST_CHARACTERS = 200_000  # many times the longest review of IMDb
MOST_ROWS = 128
NO_KNOWN_WORD = "no word of it is known"


class Answer(NamedTuple):
    """What a network makes of one text: how probable it is positive, or why that cannot be said."""

    positive: float | None  # from 0 to 1; None where the text cannot be read
    note: str | None = None  # why it cannot be read, or that the network knows no word of it


class Look(NamedTuple):
    """What a network made of one text: of each of its words, after the start."""

    words: list[str]  # [T - 1], as they were read; a long text is cut as in training
    explanation: Explanation  # of the start and the words
    known: list[bool]  # [T - 1], whether the network knows the word

    def check(self) -> str:
        """How far the explanation can be trusted, in a line."""
        check = self.explanation.check()
        return check if any(self.known) else f"{NO_KNOWN_WORD}; {check}"


class Predictor:
    """The best weights of a run, ready to classify texts.

    A text goes through what a training review went through: the same words, the same indices, the same cut.

    Raises:
        UserError: if the directory holds no run, or no checkpoint.
    """

    def __init__(self, workdir: str | Path) -> None:
        # All unrolls are equal, and this one is compiled at once.
        run = open_as(RECIPE, workdir, unroll="dynamic")
        self._reads, self._params = run.settings.text, run.params
        self.vocabulary, self._ratios = cast("TextPreprocessor", run.preprocessor)
        self._apply, _ = split(lambda: make_model(run.settings))

        @jax.jit
        def probabilities(params: ModelParams, batch: Batch) -> Array:
            return jax.nn.sigmoid(run.task.evaluate(params, batch, ())[2])

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
        reads = self._reads
        tokens = finish(self.vocabulary.encode(text), self.vocabulary.size, reads.max_length, reads.truncate)
        words, kept = split_words(text), len(tokens) - 1
        return (words[-kept:] if reads.truncate == "head" else words[:kept]), tokens

    @overload
    def __call__(self, texts: str) -> float: ...  # type: ignore[overload-overlap]
    @overload
    def __call__(self, texts: Iterable[str]) -> NDArray[np.float32]: ...
    def __call__(self, texts: str | Iterable[str]) -> float | NDArray[np.float32]:
        """The probability that a text is positive: a number for one text, `[N]` for N of them.

        Args:
            texts: one text, or any sequence of texts: a list, a generator, a column of a table, an array.

        Raises:
            TypeError: if it is anything else.
            UserError: if a text holds no word, or is far longer than any review, naming which.
        """
        chosen = as_texts(texts)
        for number, text in enumerate(chosen, 1):
            check_text(text, number)
        probabilities, _ = self._classify(chosen)
        return float(probabilities[0]) if _is_one(texts) else probabilities

    def answers(self, texts: str | Iterable[str]) -> list[Answer]:
        """An answer to every text, whatever it holds: one that cannot be read leaves the others be.

        Raises:
            TypeError: as for a call.
        """
        chosen = as_texts(texts)
        notes = [complaint(text) for text in chosen]
        readable = [text for text, note in zip(chosen, notes, strict=True) if note is None]
        found = iter(zip(*self._classify(readable), strict=True))
        answers = []
        for note in notes:
            if note is None:
                probability, known = next(found)
                answers.append(Answer(float(probability), None if known else NO_KNOWN_WORD))
            else:
                answers.append(Answer(None, note))
        return answers

    def _classify(self, texts: list[str]) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """How probable each text is positive, and whether the network knows a word of it: `[N]`, `[N]`."""
        encoded = pack(map(self.vocabulary.encode, texts), np.zeros(len(texts), np.int8))
        reads = self._reads
        examples = finish_all(encoded, self.vocabulary.size, reads.max_length, reads.truncate)
        known = np.array([(tokens[1:] != UNKNOWN).any() for tokens in examples.sequences], bool)
        if self._ratios is not None:
            examples = self._ratios.add_to(examples)
        batches = Bucketed(
            examples.columns, examples.lengths, (reads.max_length,), min(len(texts), MOST_ROWS)
        )
        probabilities = np.zeros(len(texts), np.float32)
        for plan in batches.once() if texts else []:
            found = self._probabilities(self._params, batches.batch(plan))
            probabilities[plan.indices] = found[: len(plan.indices)]
        return probabilities, known


def as_texts(texts: object) -> list[str]:
    """One text, or any sequence of texts, as a list.

    Raises:
        TypeError: if it is neither.
    """
    if _is_one(texts):
        return [str(texts)]
    if (
        not isinstance(texts, Iterable)
        or isinstance(texts, bytes | bytearray | Mapping | Set)
        or getattr(texts, "ndim", 1) != 1
    ):
        raise TypeError(f"texts are a string or a sequence of strings, not {_kind(texts)}")
    found = list(texts)
    for number, text in enumerate(found, 1):
        if not isinstance(text, str):
            raise TypeError(f"text {number} is of type {type(text).__name__}, and not a string")
    return found


def _is_one(texts: object) -> bool:
    """Whether it is one text: a string, or an array of one without any axis."""
    return isinstance(texts[()] if isinstance(texts, np.ndarray) and texts.ndim == 0 else texts, str)


def _kind(texts: object) -> str:
    axes = getattr(texts, "ndim", 1)
    return type(texts).__name__ + (f" of {axes} axes" if axes != 1 else "")


def complaint(text: str) -> str | None:
    """Why a text cannot be classified, if it cannot."""
    if len(text) > MOST_CHARACTERS:
        return f"has {len(text):,} characters: a review has at most {MOST_CHARACTERS:,}; split it"
    return None if split_words(text) else "holds no words: give a review in words"


def check_text(text: str, number: int) -> None:
    """Raises UserError if a text cannot be classified, naming it by its number."""
    if found := complaint(text):
        raise UserError(f"text {number} {found}")
