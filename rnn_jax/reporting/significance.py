"""How sure a figure is: an interval for a mean over seeds, and a paired test between two networks."""

from collections.abc import Sequence
from math import sqrt
from statistics import mean, stdev

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t


def interval(values: Sequence[float]) -> tuple[float, float]:
    """The 95 % interval of a mean over seeds, by Student's t: of 20 such intervals, 19 hold the true mean.

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
    tested, two-sided, is the mean difference d of a review's accuracy over the seeds. Its variance has two
    parts: of d over reviews, by N, which pairs them as McNemar's test does; and of each network's accuracy
    over its seeds, by their number, where there are two or more. Such a sum is not known as well as the
    variance over reviews alone: Student's t, with degrees of freedom by Welch and Satterthwaite.
    """
    differences = first.mean(axis=0) - second.mean(axis=0)
    samples = [differences, *(answers.mean(axis=1) for answers in (first, second) if len(answers) > 1)]
    variances = np.array([sample.var(ddof=1) / sample.size for sample in samples])
    if not variances.any():
        return 1.0
    freedom = variances.sum() ** 2 / sum(variances**2 / [sample.size - 1 for sample in samples])
    return float(2 * t.sf(abs(differences.mean()) / np.sqrt(variances.sum()), freedom))
