"""How sure a figure is: an interval for a mean over seeds, and a paired test between two networks."""

from collections.abc import Sequence
from math import sqrt
from statistics import mean, stdev

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm, t


def interval(values: Sequence[float]) -> tuple[float, float]:
    """The 95 % interval of a mean over seeds, by Student's t: where other seeds' mean would lie.

    Raises:
        ValueError: for fewer than two values, which tell nothing of their spread.
    """
    if len(values) < 2:
        raise ValueError("an interval needs two values or more")
    half = float(t.ppf(0.975, len(values) - 1)) * stdev(values) / sqrt(len(values))
    return mean(values) - half, mean(values) + half


def paired_p_value(first: NDArray[np.bool_], second: NDArray[np.bool_]) -> float:
    """How likely two networks alike would differ as much on other test reviews, with other seeds.

    Both have answered the same N reviews, with seeds of their own: `[seeds, N]`, true where right. What is
    tested, two-sided, is the mean difference d of a review's share of right answers. Its variance has two
    parts: of d over reviews, by N, which pairs them as McNemar's test does; and of each network's accuracy
    over its seeds, by their number, where there are two or more.
    """
    differences = first.mean(axis=0) - second.mean(axis=0)
    variance = differences.var(ddof=1) / differences.size
    for answers in (first, second):
        if len(answers) > 1:
            variance += answers.mean(axis=1).var(ddof=1) / len(answers)
    if variance == 0:
        return 1.0
    return float(2 * norm.sf(abs(differences.mean()) / np.sqrt(variance)))
