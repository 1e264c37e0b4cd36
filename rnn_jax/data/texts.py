"""Long texts for language models, a text a split: prepared by TFDS, or a file of one's own."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, NamedTuple

import numpy as np

from rnn_jax.data.imdb import data_directory
from rnn_jax.data.prepared import read_examples
from rnn_jax.data.tokenizers import KINDS, UNKNOWN, Tokenizer
from rnn_jax.errors import UserError
from rnn_jax.places import local
from rnn_jax.settings import Rule, above

PREPARED = {"tiny_shakespeare": "tiny_shakespeare/1.0.0", "wikitext2": "wikitext2/1.0.0"}
HELD_OUT = 0.05  # of a file, for validation, and as much for the test


@dataclass(frozen=True)
class StreamSettings:
    """Which text, and what is read of it."""

    dataset: str = "tiny_shakespeare"
    """Text to learn: tiny_shakespeare, wikitext2, or a file of one's own, of which the last twentieth is for
    testing and the one before it for validation."""
    tokens: Literal["characters", "words", "blanks"] = "characters"
    """What is predicted: characters; words (lower case), signs and line ends; or what stands between blanks,
    and line ends, for a text that is cut already, as wikitext2 is."""
    vocabulary_size: Annotated[int, Rule(lambda n: n >= 2, "must be 2 or more")] = 50_000
    """Most token indices: the most frequent tokens of the training text, and one for all others."""
    length: Annotated[int, above(0)] = 64
    """Steps that gradients reach back; the state goes on beyond them."""


class Texts(NamedTuple):
    """The splits of a text."""

    train: str
    validation: str
    test: str


def load(settings: StreamSettings, data_dir: str | None = None) -> Texts:
    """Reads a text.

    Raises:
        UserError: if it is neither prepared nor a file, or the file is not UTF-8.
    """
    name = settings.dataset
    if name in PREPARED:
        folder = data_directory(data_dir) / PREPARED[name]
        splits = (read_examples(folder, split) for split in Texts._fields)
        return Texts(*("".join(example["text"].decode() for example in split) for split in splits))
    file = local(name)
    if not file.is_file():
        known = ", ".join(PREPARED)
        raise UserError(f"--dataset {name} is neither {known} nor a file: name one of them")
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"--dataset {file} cannot be read as UTF-8 text: {error}") from error
    return cut(text)


def cut(text: str) -> Texts:
    """The beginning of a text to train on, and its end to validate and to test."""
    held = round(len(text) * HELD_OUT)
    ends = len(text) - 2 * held, len(text) - held
    return Texts(text[: ends[0]], text[ends[0] : ends[1]], text[ends[1] :])


class Encoded(NamedTuple):
    """A text as integers."""

    tokens: np.ndarray  # [N]
    characters: int  # of the text
    unknown: float  # the share of unknown tokens


def encode(tokenizer: Tokenizer, text: str) -> Encoded:
    """The tokens of a split."""
    tokens = tokenizer.encode(text)
    return Encoded(tokens, len(text), float((tokens == UNKNOWN).mean()) if len(tokens) else 0.0)


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
