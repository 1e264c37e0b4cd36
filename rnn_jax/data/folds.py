"""Folds for cross-validation: parts of about one size, each to be tested on in turn."""

import numpy as np
from numpy.typing import NDArray


def folds_of(
    labels: NDArray[np.integer], groups: NDArray[np.integer], count: int, seed: int
) -> NDArray[np.int64]:
    """The fold of each example, `[N]` from 0 to `count` - 1: whole groups, as many of each label as can be.

    Groups come in random order, the largest first, each into the fold that has least of its labels.

    Args:
        labels: numbers from 0 on, `[N]`.
        groups: numbers from 0 on, `[N]`; examples of a group are in one fold.
        count: of folds.
        seed: of the order.
    """
    members = np.zeros((groups.max(initial=-1) + 1, labels.max(initial=0) + 1))
    np.add.at(members, (groups, labels), 1)
    shares = members / np.maximum(members.sum(axis=0), 1)
    shuffled = np.random.default_rng(seed).permutation(len(members))
    order = shuffled[np.argsort(-members[shuffled].sum(axis=1), kind="stable")]
    filled, fold = np.zeros((count, members.shape[1])), np.zeros(len(members), np.int64)
    for group in order:
        fold[group] = (filled @ shares[group]).argmin()
        filled[fold[group]] += shares[group]
    return fold[groups]
