"""How a text becomes tokens for a language model, and how tokens become text again.

Index 0 stands for whatever the training text does not hold (or holds too rarely); the others follow, the most
frequent first. `decode(encode(text))` is the text as the model sees it, and encodes to the same tokens.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

UNKNOWN = 0
UNKNOWN_NAME = "<unk>"
END = "<eos>"

_PIECE = re.compile(r"\w+(?:['’]\w+)*|[^\w\s]|\n")
_BEFORE = set(".,;:!?)]}%…”\n")  # written to what is before them; an apostrophe would join words
_AFTER = set("([{$#“\n")  # and to what follows


class Kind(NamedTuple):
    """A way to cut texts."""

    split: Callable[[str], list[str]]
    join: Callable[[Sequence[str]], str]


def _split_words(text: str) -> list[str]:
    """Lower-cased words, signs, and line ends."""
    return _PIECE.findall(text.lower())


def _join_words(tokens: Sequence[str]) -> str:
    """Words with blanks between them, signs where they are usually written."""
    text = ""
    for token in tokens:
        close = not text or token in _BEFORE or text[-1] in _AFTER
        text += token if close else f" {token}"
    return text


def _split_blanks(text: str) -> list[str]:
    """What stands between blanks, and `<eos>` for each line end: for texts that are cut already."""
    return [token for line in text.splitlines() for token in (*line.split(), END)]


def _join_blanks(tokens: Sequence[str]) -> str:
    lines = " ".join(tokens).replace(END, "\n")
    return re.sub(" ?\n ?", "\n", lines)


KINDS: dict[str, Kind] = {
    "characters": Kind(list, "".join),
    "words": Kind(_split_words, _join_words),
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

    @classmethod
    def count(cls, kind: str, text: str, size: int | None = None) -> "Tokenizer":
        """The most frequent tokens of a text, `size` indices in all; all of them by default."""
        counts = Counter(KINDS[kind].split(text))
        counts.pop(UNKNOWN_NAME, None)  # as a text that is cut already writes it
        known = sorted(counts, key=lambda token: (-counts[token], token))
        return cls(kind, known if size is None else known[: size - 1])

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
