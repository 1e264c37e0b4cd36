"""Training steps on random reviews."""

import pytest

from rnn_jax.measuring.training_step import temporary_bytes, training_step
from rnn_jax.settings import with_flat
from rnn_jax.tasks.text_classification import Settings
from tests.conftest import need_devices

pytestmark = pytest.mark.slow

SMALL = with_flat(
    Settings(),
    vocabulary_size=50,
    embedding_size=4,
    hidden_size=4,
    batch_size=4,
    max_length=16,
    log_count_ratios=2,
)


def test_a_step_can_be_taken_again_and_again():
    need_devices(2)
    step = training_step(SMALL, num_devices=2)
    for _ in range(3):
        step()


@pytest.mark.parametrize("network", ["recurrent", "cnn"])
def test_longer_reviews_need_more_memory(network):
    short, long = (
        temporary_bytes(with_flat(SMALL, network=network, max_length=length), num_devices=1)
        for length in (16, 64)
    )
    assert 2 * short < long < 6 * short
