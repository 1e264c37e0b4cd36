"""Which texts repeat others, told by the words that they share in a row.

The unlabelled reviews of IMDb hold some of its labelled ones and of its test reviews, word for word or with
small changes. Whoever learns from unlabelled reviews would read those of the test. Texts are compared by
hashes of their shingles (A. Broder, "On the resemblance and containment of documents", 1997): nothing is
learnt from what is compared with, and no label is looked at.
"""

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from rnn_jax.data.examples import Examples, pack

WORDS = 8  # of a shingle
SHARE = 0.5  # of the shingles of the shorter one, from which a text counts as a copy
FACTOR = np.uint64(0x9E3779B97F4A7C15)  # odd: 2⁶⁴ divided by the golden ratio


def copies(texts: Examples, originals: Examples) -> NDArray[np.bool_]:
    """Which of N texts have half or more of the shingles of an original, or an original of theirs: `[N]`."""
    mine, theirs = shingles(texts), shingles(originals)
    shared = np.intersect1d(mine[0], theirs[0])
    if not len(shared):
        return np.zeros(len(texts), bool)
    in_texts = _presence(*mine, shared, len(texts))
    in_originals = _presence(*theirs, shared, len(originals))
    both = (in_texts @ in_originals.T).tocoo()  # shingles that a text and an original have in common
    sizes = [
        np.bincount(owners, minlength=len(of)) for (_, owners), of in ((mine, texts), (theirs, originals))
    ]
    found = np.zeros(len(texts), bool)
    found[both.row[both.data >= SHARE * np.minimum(sizes[0][both.row], sizes[1][both.col])]] = True
    return found


def _presence(
    hashes: NDArray[np.uint64], owners: NDArray[np.int64], shared: NDArray[np.uint64], count: int
) -> sparse.csr_matrix:
    """1 where a text holds a shingle of some, however often: `[count, number of them]`."""
    places = np.minimum(np.searchsorted(shared, hashes), len(shared) - 1)
    of_these = shared[places] == hashes
    rows, columns = owners[of_these], places[of_these]
    there = sparse.csr_matrix((np.ones(len(rows), np.int32), (rows, columns)), shape=(count, len(shared)))
    there.data[:] = 1
    return there


def shingles(texts: Examples) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    """The hash of every `WORDS` words in a row, and which text each is of; shorter texts are filled up."""
    filled = pack([np.pad(s, (0, max(WORDS - len(s), 0))) for s in texts.sequences], texts.labels)
    tokens = filled.tokens.astype(np.uint64) + np.uint64(1)
    owners = np.repeat(np.arange(len(filled)), filled.lengths)
    starts = np.arange(max(len(tokens) - WORDS + 1, 0))
    starts = starts[owners[starts] == owners[starts + WORDS - 1]]
    hashes = np.zeros(len(starts), np.uint64)
    for offset in range(WORDS):  # modulo 2⁶⁴
        hashes = hashes * FACTOR + tokens[starts + offset]
        hashes ^= hashes >> np.uint64(29)
    return hashes, owners[starts]
