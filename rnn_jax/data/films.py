"""Which reviews may be of the same film, told from the words they share.

IMDb's training split has up to 30 reviews of a film, and its test split has other films (A. Maas et al.,
"Learning Word Vectors for Sentiment Analysis", ACL 2011). Held-out reviews of films that were trained on are
answered from the names in them: they promise more than the test split keeps. The films themselves are not
recorded, but the reviews of one share names that few others have.
"""

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from rnn_jax.data.examples import Examples
from rnn_jax.data.vocabulary import FIRST_WORD

COMMON = 0.012  # a word in a larger share of all reviews says nothing about the film
ALIKE = 0.2  # cosine from which two reviews count as of one film
BLOCK = 1000  # reviews compared with all others at once


def group_films(reviews: Examples) -> NDArray[np.int32]:
    """The group of each review, `[N]`: no review is `ALIKE` one of another group.

    Reviews are compared by the cosine of their rare words, each once, weighed by log(N / reviews with it).
    Groups are what is connected by pairs that are alike; films that share names may make up one.
    """
    weights = rare_words(reviews)
    others = weights.T.tocsr()
    rows, columns = [], []
    for start in range(0, len(reviews), BLOCK):
        cosines = (weights[start : start + BLOCK] @ others).tocoo()
        alike = cosines.data >= ALIKE
        rows.append(cosines.row[alike] + start)
        columns.append(cosines.col[alike])
    pairs = np.concatenate([*rows, np.empty(0, int)]), np.concatenate([*columns, np.empty(0, int)])
    graph = sparse.csr_matrix((np.ones(len(pairs[0]), bool), pairs), shape=(len(reviews),) * 2)
    return connected_components(graph, directed=False)[1]


def rare_words(reviews: Examples) -> sparse.csr_matrix:
    """The weights of the rare words of each review, `[N, number of them]`, each row of length 1 or 0."""
    count = len(reviews)
    owners = np.repeat(np.arange(count), reviews.lengths)
    shape = (count, int(reviews.tokens.max(initial=0)) + 1)
    there = sparse.csr_matrix((np.ones(len(owners), np.float32), (owners, reviews.tokens)), shape=shape)
    there.data[:] = 1
    reviews_with = np.asarray(there.sum(axis=0)).ravel()
    rare = (reviews_with >= 2) & (reviews_with <= COMMON * count)
    rare[:FIRST_WORD] = False
    weights = there[:, rare].multiply(np.log(count / reviews_with[rare])).tocsr()
    norms = np.sqrt(np.asarray(weights.multiply(weights).sum(axis=1)))
    return weights.multiply(1 / np.maximum(norms, 1e-9)).tocsr().astype(np.float32)
