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
from rnn_jax.data.preprocessor import SENTIMENT, TextPreprocessor
from rnn_jax.data.vocabulary import UNKNOWN, Vocabulary
from rnn_jax.errors import UserError
from rnn_jax.models.explanation import Explanation, explain, ratios_of
from rnn_jax.models.functional import Apply, ModelParams, split
from rnn_jax.tasks import labelled_texts, open_as, recipe_of, text_classification
from rnn_jax.tasks.labels import probabilities_of
from rnn_jax.tasks.text_classifier import ClassifierSettings, Network, make_model

CLASSIFIERS = (text_classification.RECIPE, labelled_texts.RECIPE)
MOST_CHARACTERS = 200_000  # many times the longest review of IMDb
MOST_ROWS = 128
LENGTHS = (16, 32, 64, 128, 256, 512, 1024, 2048)  # that texts are padded to, where there are many
NO_KNOWN_WORD = "no word of it is known"


class OpenedClassifier(NamedTuple):
    """A run of a classifier, ready to be used."""

    settings: ClassifierSettings
    preprocessor: TextPreprocessor
    apply: Apply  # the network as a function of its parameters
    params: ModelParams


def open_classifier(workdir: str | Path) -> OpenedClassifier:
    """Opens a run, of whichever texts and labels, with an unroll that is compiled at once; all are equal.

    Raises:
        UserError: if the directory holds no run, one of another task, or no weights.
    """
    found = recipe_of(workdir)
    run = open_as(found if found in CLASSIFIERS else CLASSIFIERS[0], workdir, unroll="dynamic")
    preprocessor = cast("TextPreprocessor", run.preprocessor)
    apply, _ = split(lambda: make_model(run.settings, len(preprocessor.labels)))
    return OpenedClassifier(run.settings, preprocessor, apply, run.params)


class Answer(NamedTuple):
    """What a network makes of one text, or why that cannot be said."""

    label: str | None  # the most probable; None where the text cannot be read
    probability: float | None  # of that label
    probabilities: tuple[float, ...] = ()  # of all labels
    note: str | None = None  # why it cannot be read, or that the network knows no word of it


class Look(NamedTuple):
    """What a network made of one text: of each of its words, after the start."""

    words: list[str]  # [T - 1], as they were read; a long text is cut as in training
    explanation: Explanation  # of the start and the words: the log-odds of `label`
    known: list[bool]  # [T - 1], whether the network knows the word
    label: str = SENTIMENT[1]  # of two, the second; of more, the most probable
    other: str | None = SENTIMENT[0]  # the first of two; None of more
    between: str = " "  # what words are parted by; bytes by nothing

    @property
    def answer(self) -> tuple[str, float]:
        """The most probable label, and how probable it is."""
        probability = float(1 / (1 + np.exp(-self.explanation.log_odds)))
        if probability > 0.5 or self.other is None:
            return self.label, probability
        return self.other, 1 - probability

    def check(self) -> str:
        """How far the explanation can be trusted, in a line."""
        check = self.explanation.check()
        return check if any(self.known) else f"{NO_KNOWN_WORD}; {check}"


class Predictor:
    """The best weights of a run, ready to classify texts.

    A text goes through what a training review went through: the same words, the same indices, the same cut.

    Raises:
        UserError: if the directory holds no run, or no checkpoint.

    Example:
        >>> predictor = Predictor("runs/lstm")
        >>> predictor.labels
        ('negative', 'positive')
        >>> 0 < predictor("I expected little, and got a wonderful film.") < 1
        True
        >>> predictor(["Dull.", "Wonderful."]).shape
        (2,)
    """

    def __init__(self, workdir: str | Path) -> None:
        run = open_classifier(workdir)
        self._reads, self._params, self._apply = run.settings.text, run.params, run.apply
        self.vocabulary, self._ratios, self.labels, self.text_column, self.label_type = run.preprocessor

        network = Network(run.settings, run.apply)

        @jax.jit
        def probabilities(params: ModelParams, batch: Batch) -> Array:
            return probabilities_of(network.logits(params, batch))

        self._probabilities = probabilities

    def explain(self, text: str) -> Look:
        """Which words moved the answer to a text.

        Of two labels, the log-odds of the second are explained; of more, those of the most probable.

        Raises:
            UserError: if the text holds no word, or is far too long.
        """
        words, tokens = self._read(text)
        two = len(self.labels) == 2
        number = 1 if two else int(self.probabilities([text])[0].argmax())
        explanation = explain(self._apply, self._params, tokens, self._ratios, number)
        known = [token != UNKNOWN for token in tokens[1:]]
        other = self.labels[0] if two else None
        return Look(words, explanation, known, self.labels[number], other, self.vocabulary.between)

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
        check_text(text, 1, self.vocabulary)
        reads = self._reads
        tokens = finish(self.vocabulary.encode(text), self.vocabulary.size, reads.max_length, reads.truncate)
        words, kept = self.vocabulary.split(text), len(tokens) - 1
        return (words[-kept:] if reads.truncate == "head" else words[:kept]), tokens

    @overload
    def __call__(self, texts: str) -> float: ...  # type: ignore[overload-overlap]
    @overload
    def __call__(self, texts: Iterable[str]) -> NDArray[np.float32]: ...
    def __call__(self, texts: str | Iterable[str]) -> float | NDArray[np.float32]:
        """How probable labels are.

        Of two labels, the probability of the second, positive for film reviews: a number for one text, `[N]`
        for N of them. Of K labels, those of all: `[K]` for one text, `[N, K]` for N.

        Args:
            texts: one text, or any sequence of texts: a list, a generator, a column of a table, an array.

        Raises:
            TypeError: if it is anything else.
            UserError: if a text holds no word, or is far too long, naming which.
        """
        found = self.probabilities(texts)
        if len(self.labels) == 2:
            return float(found[0, 1]) if _is_one(texts) else found[:, 1]
        return found[0] if _is_one(texts) else found

    def probabilities(self, texts: str | Iterable[str]) -> NDArray[np.float32]:
        """The probability of each label, in the order of `labels`, for each text: `[N, K]`.

        Raises:
            TypeError, UserError: as for a call.
        """
        chosen = as_texts(texts)
        for number, text in enumerate(chosen, 1):
            check_text(text, number, self.vocabulary)
        return self._classify(chosen)[0]

    def answers(self, texts: str | Iterable[str]) -> list[Answer]:
        """An answer to every text, whatever it holds: one that cannot be read leaves the others be.

        Raises:
            TypeError: as for a call.
        """
        chosen = as_texts(texts)
        notes = [complaint(text, self.vocabulary) for text in chosen]
        readable = [text for text, note in zip(chosen, notes, strict=True) if note is None]
        found = iter(zip(*self._classify(readable), strict=True))
        answers = []
        for note in notes:
            if note is None:
                probabilities, known = next(found)
                number = int(probabilities.argmax())
                answers.append(
                    Answer(
                        self.labels[number],
                        float(probabilities[number]),
                        tuple(probabilities.tolist()),
                        None if known else NO_KNOWN_WORD,
                    )
                )
            else:
                answers.append(Answer(None, None, note=note))
        return answers

    def _classify(self, texts: list[str]) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """How probable the labels of each text are, and whether it has a known word: `[N, K]`, `[N]`."""
        encoded = pack(map(self.vocabulary.encode, texts), np.zeros(len(texts), np.int8))
        reads = self._reads
        examples = finish_all(encoded, self.vocabulary.size, reads.max_length, reads.truncate)
        known = np.array([(tokens[1:] != UNKNOWN).any() for tokens in examples.sequences], bool)
        if self._ratios is not None:
            examples = self._ratios.add_to(examples)
        # Each length is compiled once, which pays for many texts alone.
        shorter = (n for n in LENGTHS if n < reads.max_length and len(texts) > MOST_ROWS)
        boundaries = (*shorter, reads.max_length)
        batches = Bucketed(examples.columns, examples.lengths, boundaries, min(len(texts), MOST_ROWS))
        probabilities = np.zeros((len(texts), len(self.labels)), np.float32)
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


def complaint(text: str, vocabulary: Vocabulary) -> str | None:
    """Why a text cannot be classified, if it cannot."""
    if len(text) > MOST_CHARACTERS:
        return f"has {len(text):,} characters: a text may have at most {MOST_CHARACTERS:,}; split it"
    return None if vocabulary.split(text) else "holds no words: give a text in words"


def check_text(text: str, number: int, vocabulary: Vocabulary) -> None:
    """Raises UserError if a text cannot be classified, naming it by its number."""
    if found := complaint(text, vocabulary):
        raise UserError(f"text {number} {found}")
