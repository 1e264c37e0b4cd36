"""Every way to unroll with every cell it takes."""

import pytest

from rnn_jax.cells import CELLS
from rnn_jax.unroll import UNROLLS, fused

PAIRS = [
    pytest.param(unroll, name, id=f"{way}-{name}")
    for way, unroll in UNROLLS.items()
    for name, cell in CELLS.items()
    if unroll is not fused or cell.fusion is not None
]
