"""How a text becomes tokens for a language model, and how tokens become text again.

Index 0 stands for whatever the training text does not hold (or holds too rarely); the others follow, the most
frequent first. `decode(encode(text))` is the text as the model sees it, and encodes to the same tokens.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rnn_jax.data.vocabulary import split_words
from rnn_jax.settings import require

UNKNOWN = 0
UNKNOWN_NAME = "<unk>"
END = "<eos>"  # of a line of a text that is cut already, and between texts

_PIECE = re.compile(r"\w+(?:['’]\w+)*|[^\w\s]|\n")
_WHOLE = re.compile(r"\w+(?:[-'’]\w+)*|[^\w\s]|\n")  # with hyphens inside
_BEFORE = set(".,;:!?)]}%…”\n")  # written to what is before them; an apostrophe would join words
_AFTER = set("([{$#“\n")  # and to what follows


class Kind(NamedTuple):
    """A way to cut texts."""

    split: Callable[[str], list[str]]
    join: Callable[[Sequence[str]], str]


def _split_words(text: str) -> list[str]:
    """Lower-cased words, signs, and line ends."""
    return _PIECE.findall(text.lower())


def _split_whole(text: str) -> list[str]:
    """The same, but for words with hyphens inside, which stay whole: sacreBLEU counts them so."""
    return _WHOLE.findall(text.lower())


def _join_words(tokens: Sequence[str]) -> str:
    """Words with blanks between them, signs where they are usually written."""
    text = ""
    for token in _lines(tokens):
        close = not text or token in _BEFORE or text[-1] in _AFTER
        text += token if close else f" {token}"
    return text


def _lines(tokens: Iterable[str]) -> Iterator[str]:
    """The tokens, with a line end where a text ends."""
    return ("\n" if token == END else token for token in tokens)


def _split_blanks(text: str) -> list[str]:
    """What stands between blanks, and `<eos>` for each line end: for texts that are cut already."""
    return [token for line in text.splitlines() for token in (*line.split(), END)]


def _join_blanks(tokens: Sequence[str]) -> str:
    lines = " ".join(tokens).replace(END, "\n")
    return re.sub(" ?\n ?", "\n", lines)


KINDS: dict[str, Kind] = {
    "characters": Kind(list, lambda tokens: "".join(_lines(tokens))),
    "words": Kind(_split_words, _join_words),
    "whole_words": Kind(_split_whole, _join_words),
    "bare": Kind(split_words, _join_blanks),  # what classifiers read: no signs
    "blanks": Kind(_split_blanks, _join_blanks),
}


class Tokenizer:
    """Tokens by frequency, with their indices.

    Attributes:
        kind: a name in `KINDS`.
        tokens: all that are known, index 1 first.
        size: the number of indices, that of unknown tokens included.
    """

    def __init__(self, kind: str, tokens: Sequence[str]) -> None:
        self.kind, self.tokens = kind, tuple(tokens)
        self.size = 1 + len(self.tokens)
        self._index = {token: i for i, token in enumerate(self.tokens, 1)}

    def limit(self, size: int) -> "Tokenizer":
        """The most frequent tokens, `size` indices in all."""
        return Tokenizer(self.kind, self.tokens[: size - 1])

    def index(self, token: str) -> int:
        """The index of a token; `UNKNOWN` where it is not known."""
        return self._index.get(token, UNKNOWN)

    def encode(self, text: str) -> NDArray[np.int32]:
        """The indices of a text's tokens."""
        return np.array([self._index.get(token, UNKNOWN) for token in KINDS[self.kind].split(text)], np.int32)

    def names(self, indices: Iterable[int]) -> list[str]:
        """The tokens of some indices."""
        return [UNKNOWN_NAME if i == UNKNOWN else self.tokens[i - 1] for i in indices]

    def decode(self, indices: Iterable[int]) -> str:
        """The text of some indices."""
        return KINDS[self.kind].join(self.names(indices))

    def decode_each(self, indices: Iterable[int], after: int | None = None) -> Iterator[str]:
        """The text of index after index, which together are that of all; `after` comes before the first."""
        for index in indices:
            before = [] if after is None else [after]
            yield self.decode([*before, index])[len(self.decode(before)) :]
            after = index


def encode_all(
    kind: str, texts: Iterable[str], counted: NDArray[np.bool_], *, ends: bool
) -> tuple[Tokenizer, list[NDArray[np.int32]]]:
    """Counts the tokens of some of N texts, and encodes all.

    Args:
        kind: a name in `KINDS`.
        texts: the texts.
        counted: `[N]`, which of them are counted; what only the others hold is unknown.
        ends: whether `END` counts as a token of each text, too, which the indices of texts do not show.

    Returns:
        All tokens that were counted, and the indices of each text.
    """
    first: dict[str, int] = {END: 0}
    found = [
        np.array([first.setdefault(token, len(first)) for token in KINDS[kind].split(text)], np.int32)
        for text in texts
    ]
    of_these = [each for each, count in zip(found, counted, strict=True) if count]
    counts = np.bincount(np.concatenate([np.empty(0, np.int32), *of_these]), minlength=len(first))
    counts[0] += len(of_these) * ends
    names = list(first)
    if UNKNOWN_NAME in first:  # as a text that is cut already writes it
        counts[first[UNKNOWN_NAME]] = 0
    known = sorted((i for i in range(len(names)) if counts[i]), key=lambda i: (-counts[i], names[i]))
    index = np.full(len(names), UNKNOWN, np.int32)
    index[known] = np.arange(1, len(known) + 1)
    return Tokenizer(kind, [names[i] for i in known]), [index[each] for each in found]


def encode_parts(
    kind: str, parts: Sequence[Sequence[str]], min_count: int, *, ends: bool
) -> tuple[Tokenizer, list[list[NDArray[np.int32]]]]:
    """Counts the tokens of the texts of the first part, and encodes the texts of all.

    Args:
        kind: a name in `KINDS`.
        parts: texts.
        min_count: how often a token occurs in the first part to be known.
        ends: whether `END` is a token, which each text then ends with.

    Returns:
        The tokens, and the indices of the texts of each part.

    Raises:
        UserError: if no token occurs so often.
    """
    texts = [text for part in parts for text in part]
    learnt = len(parts[0])
    tokenizer, rows = encode_all(kind, texts, np.arange(len(texts)) < learnt, ends=ends)
    counts = np.bincount(np.concatenate(rows[:learnt]), minlength=tokenizer.size)[1:]
    known = int((counts >= min_count).sum())
    require(known > 0, "min_count", min_count, "no word of the training texts occurs so often")
    tokenizer = tokenizer.limit(1 + ends + known)
    end = [tokenizer.index(END)] * ends
    rows = [np.append(np.where(row < tokenizer.size, row, UNKNOWN), end).astype(np.int32) for row in rows]
    last = np.cumsum([len(part) for part in parts])
    return tokenizer, [rows[stop - len(part) : stop] for stop, part in zip(last, parts, strict=True)]
