"""Encoded reviews in memory: sequences of different lengths, side by side in one array."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from rnn_jax.data.vocabulary import START, UNKNOWN

Truncate = Literal["head", "tail"]

NO_LABEL = -1


@dataclass(frozen=True, eq=False)
class Examples:
    """N sequences of tokens and their labels.

    Attributes:
        tokens: one sequence after the other, `[sum of lengths]`.
        lengths: `[N]`.
        labels: numbers from 0 on, of reviews 1 positive and 0 negative; `NO_LABEL` unknown, `[N]`.
        ratios: what naive Bayes says of each token, `[sum of lengths, F]`, where it is asked; see
            `rnn_jax.data.log_count_ratios`.
    """

    tokens: NDArray[np.int32]
    lengths: NDArray[np.int32]
    labels: NDArray[np.integer]
    ratios: NDArray[np.float32] | None = None

    def __len__(self) -> int:
        return len(self.lengths)

    @cached_property
    def sequences(self) -> list[NDArray[np.int32]]:
        """The sequences, as views into `tokens`."""
        return self._cut(self.tokens)

    @cached_property
    def ratio_sequences(self) -> list[NDArray[np.float32]]:
        """The ratios of each sequence, `[length, F]`; F is 0 without ratios."""
        ratios = np.zeros((len(self.tokens), 0), np.float32) if self.ratios is None else self.ratios
        return self._cut(ratios)

    @property
    def columns(self) -> dict[str, Any]:
        """What a batch is made of: the tokens, the labels, and the ratios where there are any."""
        ragged: dict[str, Any] = {"tokens": self.sequences}
        if self.ratios is not None:
            ragged["ratios"] = self.ratio_sequences
        return {**ragged, "labels": self.labels.astype(np.int32)}

    def _cut(self, rows: NDArray[Any]) -> list[NDArray[Any]]:
        return np.split(rows, np.cumsum(self.lengths))[:-1]  # nothing follows the last end

    def take(self, indices: NDArray[np.integer]) -> "Examples":
        """The examples of some indices, in that order; without ratios."""
        return pack([self.sequences[i] for i in indices], self.labels[indices])


def pack(sequences: Iterable[NDArray[np.int32]], labels: NDArray[np.integer]) -> Examples:
    """Puts sequences side by side."""
    kept = list(sequences)
    lengths = np.array([len(s) for s in kept], np.int32)
    tokens = np.concatenate([np.empty(0, np.int32), *kept]).astype(np.int32)
    return Examples(tokens, lengths, labels)


def concatenate(first: Examples, second: Examples) -> Examples:
    """The examples of both, in this order."""
    return Examples(
        np.concatenate([first.tokens, second.tokens]),
        np.concatenate([first.lengths, second.lengths]),
        np.concatenate([first.labels, second.labels]),
        None
        if first.ratios is None or second.ratios is None
        else np.concatenate([first.ratios, second.ratios]),
    )


def finish(
    tokens: NDArray[np.int32], vocabulary_size: int, max_length: int, cut: Truncate
) -> NDArray[np.int32]:
    """What the network reads of one review: start, then its words, cut to `max_length` tokens in all.

    `cut` is the side that a long review loses: `head` keeps its last words, `tail` its first. Words beyond
    the vocabulary become unknown. Training, evaluation and prediction all come through here.
    """
    room = max_length - 1
    kept = tokens[max(0, len(tokens) - room) :] if cut == "head" else tokens[:room]
    return np.concatenate([[START], np.where(kept < vocabulary_size, kept, UNKNOWN)]).astype(np.int32)


def finish_all(examples: Examples, vocabulary_size: int, max_length: int, cut: Truncate) -> Examples:
    """`finish` for every example."""
    return pack([finish(s, vocabulary_size, max_length, cut) for s in examples.sequences], examples.labels)


def hold_out(
    labels: NDArray[np.integer], fraction: float, seed: int, groups: NDArray[np.integer] | None = None
) -> NDArray[np.bool_]:
    """Chooses a stratified part: `[N]`, true for `fraction` of each label, rounded down.

    With `groups [N]`, whole groups are chosen, in random order, each if it fits into what is wanted.

    Raises:
        ValueError: if fraction is not from 0 to 1, or if groups are too large for it to be met.
    """
    if not 0 <= fraction <= 1:
        raise ValueError(f"a part is a fraction from 0 to 1, got {fraction}")
    groups = np.arange(len(labels)) if groups is None else groups
    kinds, kind = np.unique(labels, return_inverse=True)
    members = np.zeros((groups.max(initial=-1) + 1, len(kinds)), int)
    np.add.at(members, (groups, kind), 1)
    # A fraction such as 120 / 9000 of 4500 comes out a hair below 60.
    wanted = (fraction * members.sum(axis=0) + 1e-6).astype(int)
    chosen = np.zeros(len(members), bool)
    for group in np.random.default_rng(seed).permutation(len(members)):
        if (members[group] <= wanted).all():
            chosen[group] = True
            wanted -= members[group]
    if wanted.any():
        raise ValueError(f"groups are too large to hold out {fraction} of each label")
    return chosen[groups]
