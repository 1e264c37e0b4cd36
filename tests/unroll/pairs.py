"""Which cells are tested with which unrolls: every pair that runs some code of its own."""

import pytest

from rnn_jax.cells import CELLS
from rnn_jax.unroll import UNROLLS, runs_itself

# States of one array and of two, of size H and others, with derivatives by hand and without, linear and not.
KINDS = ("elman", "lstm", "gru_v3", "qrnn")


def is_own(name: str, method: str) -> bool:
    """Whether a cell takes a path of its own through an unroll, or stands for those that take it."""
    if method == "auto":  # another one, mostly as if that was called: `test_auto.py`
        return name == "qrnn"
    own = method in ("dynamic", "fused", "parallel", "newton") and runs_itself(method, CELLS[name])
    return own or name in KINDS


PAIRS = [(name, method) for name in CELLS for method in UNROLLS if is_own(name, method)]
IDS = ["-".join(pair) for pair in PAIRS]
each_pair = pytest.mark.parametrize(
    ("name", "unroll"), [(name, UNROLLS[method]) for name, method in PAIRS], ids=IDS
)
# The same pairs, of which those of a cell that another stands for take part in `make test-all` only.
each_kind_of_pair = pytest.mark.parametrize(
    ("name", "unroll"),
    [
        pytest.param(name, UNROLLS[method], marks=() if name in KINDS else pytest.mark.slow)
        for name, method in PAIRS
    ],
    ids=IDS,
)
