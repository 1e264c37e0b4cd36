"""Texts for language models: prepared by TFDS, or a file of one's own."""

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rnn_jax.data import review_texts
from rnn_jax.data.encoded_reviews import SPLIT_SEED
from rnn_jax.data.prepared import data_directory, in_order, read_examples
from rnn_jax.data.tokenizers import END, KINDS, UNKNOWN, Tokenizer, encode_all
from rnn_jax.errors import UserError
from rnn_jax.places import local
from rnn_jax.settings import Rule, above, require

PREPARED = {"tiny_shakespeare": "tiny_shakespeare/1.0.0", "wikitext2": "wikitext2/1.0.0"}
REVIEWS = "imdb"
HELD_OUT = 0.05  # of a file, for validation, and as much for the test

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class CorpusSettings:
    """Which text, and what is read of it."""

    dataset: str = "tiny_shakespeare"
    """Text to learn: tiny_shakespeare, wikitext2, imdb (the reviews of the training split and those without a
    label), or a file of one's own, of which the last twentieth is for testing and the one before it for
    validation."""
    tokens: Literal["characters", "words", "bare", "blanks"] = "characters"
    """What is predicted: characters; words (lower case), signs and line ends; bare words, without signs, as
    classifiers of reviews read them; or what stands between blanks, and line ends, for a text that is cut
    already, as wikitext2 is."""
    vocabulary_size: Annotated[int, Rule(lambda n: n >= 2, "must be 2 or more")] = 50_000
    """Most token indices: the most frequent tokens of the training text, and one for all others."""
    length: Annotated[int, above(0)] = 64
    """Steps that gradients reach back; of reviews that are read apart, the most that are read at once."""
    reading: Literal["stream", "packed", "apart"] = "stream"
    """How reviews are read: one after the other as one text, whose state goes on from step to step (stream);
    so, but each from an empty state (packed); or each in a row of its own, cut after `length` tokens, from an
    empty state (apart)."""
    copies: bool = False
    """Read unlabelled reviews that repeat a labelled or a test one, too: to measure what that gives away."""

    def check(self) -> None:
        """Raises UserError for what only reviews have."""
        many = self.dataset == REVIEWS
        require(many or self.reading == "stream", "reading", self.reading, "needs --dataset imdb")
        require(many or not self.copies, "copies", self.copies, "needs --dataset imdb")


class Texts(NamedTuple):
    """The splits of a text."""

    train: str
    validation: str
    test: str


class Documents(NamedTuple):
    """N texts as integers, one after the other."""

    tokens: NDArray[np.int32]  # [sum of lengths]
    lengths: NDArray[np.int32]  # [N]
    characters: int  # of all

    @property
    def unknown(self) -> float:
        """The share of unknown tokens."""
        return float((self.tokens == UNKNOWN).mean()) if len(self.tokens) else 0.0


class Corpus(NamedTuple):
    """The splits of a corpus, and their tokens, counted in the training split alone."""

    tokenizer: Tokenizer
    train: Documents
    validation: Documents
    test: Documents


def load(settings: CorpusSettings, data_dir: str | None = None, cache_dir: str | None = None) -> Corpus:
    """Reads a corpus.

    Raises:
        UserError: if it is neither prepared nor a file, or the file is not UTF-8.
    """
    if settings.dataset == REVIEWS:
        return _reviews(settings, review_texts.load(settings.tokens, data_dir, cache_dir))
    return encode(_read(settings.dataset, data_dir), settings)


def encode(texts: Texts, settings: CorpusSettings) -> Corpus:
    """Each split of a text as one document."""
    tokenizer, found = encode_all(settings.tokens, texts, np.array([True, False, False]), ends=False)
    sizes = [np.array([len(each)], np.int32) for each in found]
    parts = (Documents(*part) for part in zip(found, sizes, map(len, texts), strict=True))
    return _limit(tokenizer, settings.vocabulary_size, *parts)


def _reviews(settings: CorpusSettings, reviews: review_texts.ReviewTexts) -> Corpus:
    """The reviews, in an order that says nothing of their labels."""
    if not settings.copies:
        of = ", ".join(f"{count} of {name}" for name, count in reviews.counts().items())
        log.info("Unlabelled reviews that repeat others are left out: %s reviews", of)

    def part(*names: str) -> Documents:
        places = reviews.places(*names, with_copies=settings.copies)
        chosen = np.random.default_rng(SPLIT_SEED).permutation(places)
        tokens = np.concatenate([np.empty(0, np.int32), *reviews.sequences(chosen)])
        return Documents(tokens, reviews.lengths[chosen], int(reviews.characters[chosen].sum()))

    parts = part("train", "unlabelled"), part("validation"), part("test")
    return _limit(reviews.tokenizer, settings.vocabulary_size, *parts)


def _limit(tokenizer: Tokenizer, size: int, *parts: Documents) -> Corpus:
    """The corpus in the first `size` indices; all others are unknown."""
    limited = tokenizer.limit(size)
    known = (
        part._replace(tokens=np.where(part.tokens < limited.size, part.tokens, np.int32(UNKNOWN)))
        for part in parts
    )
    return Corpus(limited, *known)


def join(documents: Documents, tokenizer: Tokenizer) -> NDArray[np.int32]:
    """The documents as one text, an end before each and after the last: `[sum of lengths + N + 1]`."""
    ends = np.cumsum(documents.lengths)
    return np.insert(documents.tokens, [0, *ends], tokenizer.index(END)).astype(np.int32)


def beginnings(documents: Documents) -> NDArray[np.bool_]:
    """Which tokens of `join` a document begins with: the end before it."""
    first = np.zeros(len(documents.tokens) + len(documents.lengths) + 1, bool)
    first[np.cumsum(documents.lengths + 1) - documents.lengths - 1] = True
    return first


def _read(name: str, data_dir: str | None) -> Texts:
    if name in PREPARED:
        folder = data_directory(data_dir) / PREPARED[name]
        return Texts(*(_joined(folder, split) for split in Texts._fields))
    file = local(name)
    if not file.is_file():
        known = ", ".join([*PREPARED, REVIEWS])
        raise UserError(f"--dataset {name} is neither {known} nor a file: name one of them")
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"--dataset {file} cannot be read as UTF-8 text: {error}") from error
    return cut(text)


def _joined(folder: Path, split: str) -> str:
    """The text of a split that TFDS has prepared."""
    examples = read_examples(folder, split)
    if len(examples) > 1 and not in_order(folder):
        raise UserError(
            f"the {split} split in {folder} has {len(examples)} examples in random order: "
            "prepare one a split, or with disable_shuffling"
        )
    return "".join(example["text"].decode() for example in examples)


def cut(text: str) -> Texts:
    """The beginning of a text to train on, and its end to validate and to test."""
    held = round(len(text) * HELD_OUT)
    ends = len(text) - 2 * held, len(text) - held
    return Texts(text[: ends[0]], text[ends[0] : ends[1]], text[ends[1] :])


def read_tokenizer(file: Path) -> Tokenizer:
    """The tokenizer that a run has kept: the kind in the first line, then a token a line, quoted.

    Raises:
        UserError: if the file is missing or damaged.
    """
    try:
        kind, *lines = file.read_text(encoding="utf-8").split("\n")
        tokens = [line.encode("ascii").decode("unicode_escape") for line in lines if line]
    except (OSError, ValueError) as error:
        raise UserError(f"{file} cannot be read ({error}): train the run again") from error
    if kind not in KINDS:
        raise UserError(f"{file} is damaged: it is of the unknown kind {kind!r}")
    return Tokenizer(kind, tokens)


def tokenizer_file(tokenizer: Tokenizer) -> str:
    """What `read_tokenizer` reads."""
    quoted = (token.encode("unicode_escape").decode("ascii") for token in tokenizer.tokens)
    return "\n".join([tokenizer.kind, *quoted, ""])
