"""Training steps over devices."""

import pytest

from rnn_jax.measuring.scaling import measure_scaling
from rnn_jax.settings import with_flat
from rnn_jax.tasks.text_classification import Settings
from tests.conftest import need_devices

pytestmark = pytest.mark.slow

CONFIG = with_flat(
    Settings(), vocabulary_size=50, max_length=6, embedding_size=3, hidden_size=4, batch_size=8
)


def test_both_series_are_measured():
    need_devices(4)
    rows = list(measure_scaling(CONFIG, [1, 2, 4], seconds=0.01))
    shapes = [(row["fixed"], row["devices"], row["batch"]) for row in rows]
    assert shapes == [
        *(("global", n, 8) for n in (1, 2, 4)),
        *(("device", n, 2 * n) for n in (1, 2, 4)),
    ]
    for row in rows:
        assert row["reviews_per_second"] == pytest.approx(row["batch"] / row["seconds"])
        assert 0 < row["lower_quartile"] <= row["seconds"] <= row["upper_quartile"]
