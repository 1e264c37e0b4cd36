"""Training where the default types are of 64 bits: what a step keeps stays of the type that it has."""

import jax
import numpy as np
import pytest

from rnn_jax.settings import with_flat
from tests.training.runs import CONFIG, make_run, metrics_of


@pytest.mark.parametrize(
    "settings",
    [
        {"cell": "gru"},
        pytest.param(
            {"cell": "gru", "bidirectional": True, "pooling": "mean_max", "adversarial": 0.1, "dropout": 0.1},
            marks=pytest.mark.slow,
        ),
        pytest.param(
            {"recurrent_dropout": 0.1, "weight_dropout": 0.1, "zoneout": 0.1, "pooling": "attention"},
            marks=pytest.mark.slow,
        ),
    ],
    ids=["plain", "adversarial", "noisy"],
)
def test_a_run_is_the_same_run(settings, tmp_path):
    config = with_flat(CONFIG, epochs=1, **settings)
    expected = make_run(tmp_path / "narrow", config)
    expected.train("")
    with jax.enable_x64(True):
        run = make_run(tmp_path / "wide", config)
        run.train("")
    types = [[leaf.dtype for leaf in jax.tree.leaves(r._state)] for r in (run, expected)]
    assert types[0] == types[1]
    assert np.dtype("float64") not in types[0]
    for found, same in zip(*(metrics_of(tmp_path / name) for name in ("wide", "narrow")), strict=True):
        assert found == pytest.approx(same, abs=1e-5)
