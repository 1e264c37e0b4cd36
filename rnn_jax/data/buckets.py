"""Length buckets: the few sequence lengths that batches are padded to.

Every padded length is a shape of its own, and every shape is compiled once, so there should be few; a
sequence is padded up to the next one, so they should fit the data.
"""

import numpy as np
from numpy.typing import NDArray

GRAIN = 16  # boundaries are multiples of this, so that near-equal datasets share compiled shapes


def choose_boundaries(
    lengths: NDArray[np.integer], max_length: int, count: int, grain: int = GRAIN
) -> tuple[int, ...]:
    """The at most `count` lengths that make padding least, the last of them `max_length`.

    Minimises the number of padded steps over `lengths` (from 1 to max_length) exactly, by dynamic
    programming over boundaries that are multiples of `grain`.

    Raises:
        ValueError: if count or max_length is below 1, or a length is above max_length.
    """
    if count < 1 or max_length < 1:
        raise ValueError(f"buckets need count and max_length of at least 1, got {count} and {max_length}")
    if len(lengths) and lengths.max() > max_length:
        raise ValueError(f"a length of {lengths.max()} does not fit into max_length {max_length}")
    edges = np.array([*range(grain, max_length, grain), max_length])
    below = np.searchsorted(np.sort(lengths), [0, *edges], side="right")  # sequences up to each edge

    # cost[j]: the least padded steps for the sequences up to edges[j], when edges[j] is a boundary.
    cost = below[1:] * edges
    cuts: list[tuple[int, ...]] = [(int(edge),) for edge in edges]
    for _ in range(count - 1):
        with_one_more = [
            min(
                [(int(cost[j]), cuts[j])]
                + [
                    (int(cost[i] + (below[j + 1] - below[i + 1]) * edges[j]), (*cuts[i], int(edges[j])))
                    for i in range(j)
                ]
            )
            for j in range(len(edges))
        ]
        cost = np.array([c for c, _ in with_one_more])
        cuts = [cut for _, cut in with_one_more]
    return cuts[-1]


def assign(lengths: NDArray[np.integer], boundaries: tuple[int, ...]) -> NDArray[np.int64]:
    """The bucket of each sequence: the first boundary that it fits into, `[N]`."""
    return np.searchsorted(np.array(boundaries), lengths, side="left")
