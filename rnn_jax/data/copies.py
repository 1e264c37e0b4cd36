"""Which texts repeat others, told by the words that they share in a row.

The unlabelled reviews of IMDb hold some of its labelled ones and of its test reviews, word for word or with
small changes. Whoever learns from unlabelled reviews would read those of the test. Texts are compared by
hashes of their shingles (A. Broder, "On the resemblance and containment of documents", 1997): nothing is
learnt from what is compared with, and no label is looked at.
"""

import numpy as np
from numpy.typing import NDArray

from rnn_jax.data.examples import Examples, pack

WORDS = 8  # of a shingle
SHARE = 0.5  # of its shingles, from which a text counts as a copy
FACTOR = np.uint64(0x9E3779B97F4A7C15)  # odd: 2⁶⁴ divided by the golden ratio


def copies(texts: Examples, originals: Examples) -> NDArray[np.bool_]:
    """Which of N texts have half of their shingles, or more, in the originals: `[N]`."""
    hashes, owners = shingles(texts)
    shared = np.isin(hashes, np.unique(shingles(originals)[0]))
    counts = np.bincount(owners, minlength=len(texts))
    return np.bincount(owners, shared, minlength=len(texts)) >= SHARE * np.maximum(counts, 1)


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
