"""Words and their indices: how a review becomes integers, and comes back as words.

Index 0 pads, 1 starts a review, 2 stands for an unknown word; words follow from 3 on, the most frequent
first. A vocabulary of V knows the indices below V: the 10,000 of the introduction are 9,997 words. Bytes are
words of a vocabulary that is always the same.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from rnn_jax.data.normalization import normalize

PAD, START, UNKNOWN = 0, 1, 2
FIRST_WORD = 3
SPECIAL_NAMES = ("<pad>", "<start>", "<unknown>")

_WORD = re.compile(r"\w+(?:'\w+)*")


def split_words(text: str) -> list[str]:
    """The words of a text, normalised; "don't" is one word."""
    return _WORD.findall(normalize(text))


class Vocabulary:
    """Words by frequency, with their indices.

    Attributes:
        words: the words, index `FIRST_WORD` first.
        size: V, the number of indices, the three special ones included.
        between: what words are parted by where a text is shown.
    """

    between = " "

    def __init__(self, words: Sequence[str]) -> None:
        self.words = tuple(words)
        self.size = FIRST_WORD + len(self.words)
        self._index = {word: i for i, word in enumerate(self.words, FIRST_WORD)}

    @classmethod
    def of(cls, words: Sequence[str]) -> "Vocabulary":
        """The vocabulary of some words, or that of bytes if those are the words."""
        return BYTES if tuple(words) == BYTES.words else cls(words)

    @classmethod
    def count(cls, texts: Iterable[str]) -> "Vocabulary":
        """All words of some texts, the most frequent first; words as frequent as each other by alphabet."""
        counts = Counter(chain.from_iterable(map(split_words, texts)))
        return cls(sorted(counts, key=lambda word: (-counts[word], word)))

    def limit(self, size: int) -> "Vocabulary":
        """The vocabulary of the first `size` indices.

        Raises:
            ValueError: if the special indices alone would not fit.
        """
        if size <= FIRST_WORD:
            raise ValueError(f"a vocabulary needs a size of at least {FIRST_WORD + 1}, got {size}")
        return Vocabulary(self.words[: size - FIRST_WORD])

    def names(self) -> tuple[str, ...]:
        """The words as a language model calls them."""
        return self.words

    def split(self, text: str) -> list[str]:
        """The words of a text."""
        return split_words(text)

    def encode(self, text: str) -> NDArray[np.int32]:
        """The indices of a text's words, without start or padding: `[number of words]`."""
        return self.indices(self.split(text))

    def indices(self, words: Iterable[str]) -> NDArray[np.int32]:
        """The indices of some words."""
        return np.array([self._index.get(word, UNKNOWN) for word in words], np.int32)

    def decode(self, tokens: Iterable[int]) -> str:
        """The words of some indices, `<start>` and `<unknown>` in place; padding is left out.

        Raises:
            ValueError: if an index is not in the vocabulary.
        """
        words = []
        for token in tokens:
            if not 0 <= token < self.size:
                raise ValueError(f"index {token} is not in a vocabulary of {self.size}")
            if token != PAD:
                words.append(SPECIAL_NAMES[token] if token < FIRST_WORD else self.words[token - FIRST_WORD])
        return " ".join(words)


class Bytes(Vocabulary):
    """The 256 bytes, in order, of texts in UTF-8 as they are written: nothing is normalised.

    Example:
        >>> BYTES.size, BYTES.encode("Hé").tolist()
        (259, [75, 198, 172])
        >>> BYTES.split("Hé"), BYTES.decode([75, 198, 172])
        (['H', '<c3>', '<a9>'], 'Hé')
    """

    between = ""

    def __init__(self) -> None:
        printable = {ord(" "): "␣", **{byte: chr(byte) for byte in range(33, 127)}}
        super().__init__([printable.get(byte, f"<{byte:02x}>") for byte in range(256)])

    def limit(self, size: int) -> "Vocabulary":
        """All bytes, whatever the size: `BYTES.size` is the only one."""
        return self

    def names(self) -> tuple[str, ...]:
        """The characters of ASCII, and the other bytes as words."""
        return tuple(chr(byte) if byte < 128 else word for byte, word in enumerate(self.words))

    def split(self, text: str) -> list[str]:
        """A printable character of ASCII is itself, a blank ␣, another byte its number in hexadecimal."""
        return [self.words[byte] for byte in _bytes_of(text)]

    def encode(self, text: str) -> NDArray[np.int32]:
        """The indices of a text's bytes, without start or padding: `[number of bytes]`."""
        return np.frombuffer(_bytes_of(text), np.uint8).astype(np.int32) + FIRST_WORD

    def decode(self, tokens: Iterable[int]) -> str:
        """The text of some indices; special ones are left out, and half of a character is a �."""
        return bytes(token - FIRST_WORD for token in tokens if token >= FIRST_WORD).decode(errors="replace")


def _bytes_of(text: str) -> bytes:
    """In UTF-8; half of a character, as texts that were cut may have it, is a question mark."""
    return text.encode(errors="replace")


BYTES = Bytes()
