"""Labelled texts, as every source of data delivers them."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Reviews(NamedTuple):
    """Texts and their labels, in the order of the source."""

    texts: list[str]
    labels: NDArray[np.int8]  # [N], 1 positive, 0 negative
