"""How much a word, or a few words together, speak for one label: naive Bayes log-count ratios.

S. Wang and C. Manning, "Baselines and Bigrams: Simple, Good Sentiment and Topic Classification", ACL 2012,
section 2, from the presence of an n-gram in a review:

    r = log((α + p) / ‖α + p‖₁) − log((α + q) / ‖α + q‖₁)

p and q count the positive and the negative reviews that hold each n-gram. A large α trusts n-grams of few
reviews less; ratios for two α together tell how many reviews they rest on.

A network that read the ratios of its own training reviews would find their labels in them: what only one
review says has that review's label. So the training reviews are cut into folds, and each is given ratios
counted without its own fold. N-grams of a single review say little of others, and are left out; which these
are is counted over all folds, so that n-grams left to one other review do have a ratio in training.

Beside one, two and three words in a row, pairs of words are counted with one or two words between them.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from rnn_jax.data.examples import Examples
from rnn_jax.durable import whole_file

# Which words make an n-gram, as places counted from its first; at most three fit into one 64-bit integer.
PATTERNS = ((0,), (0, 1), (0, 1, 2), (0, 2), (0, 3))
BITS = 21
FOLDS = 10
FEWEST = 2  # training reviews that must hold an n-gram
SMOOTHINGS = (1.0, 4.0)  # α


class LogCountRatios(NamedTuple):
    """The ratios of the n-grams of some reviews, for the first n of `PATTERNS`."""

    ngrams: tuple[NDArray[np.int64], ...]  # for each pattern, sorted: the tokens of an n-gram in one integer
    ratios: tuple[NDArray[np.float32], ...]  # [G, α], above 0 where an n-gram speaks for a positive review

    def add_to(self, examples: Examples) -> Examples:
        """The examples with, for each token, the ratios of the n-grams that end at it; 0 for unseen ones."""
        found = _no_ratios(len(examples.tokens), len(self.ngrams))
        for column, (known, ratios) in enumerate(zip(self.ngrams, self.ratios, strict=True)):
            if not len(known):
                continue  # too few reviews to have an n-gram in common
            ngrams, ends = split_ngrams(examples, PATTERNS[column])
            places = np.minimum(np.searchsorted(known, ngrams), len(known) - 1)
            found[ends, column] = np.where((known[places] == ngrams)[:, None], ratios[places], 0)
        return replace(examples, ratios=found.reshape(len(found), ratio_features(len(self.ngrams))))

    def write(self, path: Path) -> None:
        """Writes them into one file, in one move.

        Raises:
            OSError: if it cannot be written.
        """
        arrays: dict[str, NDArray[Any]] = {
            f"ngrams{n}": ngrams for n, ngrams in enumerate(self.ngrams, start=1)
        }
        arrays |= {f"ratios{n}": ratios for n, ratios in enumerate(self.ratios, start=1)}
        with whole_file(path) as file:
            np.savez_compressed(file, allow_pickle=False, **arrays)

    @classmethod
    def read(cls, path: Path) -> "LogCountRatios":
        """Reads such a file.

        Raises:
            OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error: if it cannot be read.
        """
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            orders = range(1, len(arrays.files) // 2 + 1)
            return cls(*(tuple(arrays[f"{kind}{n}"] for n in orders) for kind in cls._fields))


def ratio_features(count: int) -> int:
    """How many numbers come with each token, for the first `count` patterns."""
    return count * len(SMOOTHINGS)


def split_ngrams(examples: Examples, pattern: Sequence[int]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """All n-grams within one example, each as one integer, and where in `tokens` each ends."""
    tokens, span = examples.tokens.astype(np.int64), pattern[-1]
    starts = np.arange(max(len(tokens) - span, 0))
    owners = np.repeat(np.arange(len(examples)), examples.lengths)
    starts = starts[owners[starts] == owners[starts + span]]
    ngrams = np.zeros(len(starts), np.int64)
    for offset in pattern:
        ngrams = (ngrams << BITS) | tokens[starts + offset]
    return ngrams, starts + span


def count_ratios(
    examples: Examples, groups: NDArray[np.integer], count: int, seed: int
) -> tuple[LogCountRatios, NDArray[np.float32]]:
    """The ratios of n-grams of the first `count` patterns, and those that each training review is given.

    Args:
        examples: the training reviews.
        groups: `[N]`; reviews of one group are in one fold.
        count: how many patterns, from 1 to all.
        seed: decides which fold a group is in.

    Returns:
        The ratios counted over all examples, for other reviews, and those of these, `[sum of lengths, F]`: of
        the same n-grams as by `add_to`, but counted without the fold of each example. F is count · the number
        of α.

    Raises:
        ValueError: if there are not so many patterns.
    """
    if not 1 <= count <= len(PATTERNS):
        raise ValueError(f"there are {len(PATTERNS)} patterns of n-grams, not {count}")
    rng = np.random.default_rng(seed)
    folds = rng.integers(0, FOLDS, int(groups.max(initial=-1)) + 1)[groups]
    owners = np.repeat(np.arange(len(examples)), examples.lengths)
    given = _no_ratios(len(examples.tokens), count)
    known, ratios = [], []
    for column, pattern in enumerate(PATTERNS[:count]):
        ngrams, ends = split_ngrams(examples, pattern)
        distinct, index = np.unique(ngrams, return_inverse=True)
        there = presence(owners[ends], index, (len(examples), len(distinct)))
        common = np.bincount(there.indices, minlength=len(distinct)) >= FEWEST
        there, distinct = there[:, common], distinct[common]
        places = np.cumsum(common) - 1  # from all distinct n-grams to the common ones
        ends, index = ends[common[index]], places[index[common[index]]]
        counts = np.zeros((FOLDS, 2, len(distinct)), np.int32)  # reviews of each fold and label
        for fold in range(FOLDS):
            for label in range(2):
                rows = there[np.flatnonzero((folds == fold) & (examples.labels == label))]
                counts[fold, label] = np.bincount(rows.indices, minlength=len(distinct))
        total = counts.sum(axis=0)
        for fold in range(FOLDS):
            own = folds[owners[ends]] == fold
            given[ends[own], column] = _all_ratios(total - counts[fold])[index[own]]
        known.append(distinct)
        ratios.append(_all_ratios(total))
    return LogCountRatios(tuple(known), tuple(ratios)), given.reshape(len(given), ratio_features(count))


def _no_ratios(tokens: int, count: int) -> NDArray[np.float32]:
    return np.zeros((tokens, count, len(SMOOTHINGS)), np.float32)


def _all_ratios(counts: NDArray[np.integer]) -> NDArray[np.float32]:
    """`[2, G] -> [G, α]`."""
    return np.stack([log_ratios(counts, smoothing) for smoothing in SMOOTHINGS], axis=-1)


def presence(
    rows: NDArray[np.int64], columns: NDArray[np.int64], shape: tuple[int, int]
) -> sparse.csr_matrix:
    """1 where a review holds an n-gram, however often: `[N, G]`."""
    there = sparse.csr_matrix((np.ones(len(rows), np.int32), (rows, columns)), shape=shape)
    there.data[:] = 1
    return there


def log_ratios(counts: NDArray[np.integer], smoothing: float) -> NDArray[np.float32]:
    """`[2, G] -> [G]`, from the numbers of negative and of positive reviews that hold each n-gram."""
    shares = (counts + smoothing) / (counts + smoothing).sum(axis=1, keepdims=True)
    return np.log(shares[1] / shares[0]).astype(np.float32)
