"""Several texts in a row against each in a row of its own: the same sums and gradients, without noise."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from rnn_jax.data.batches import Bucketed
from rnn_jax.data.log_count_ratios import ratio_features
from rnn_jax.data.packing import Packed
from rnn_jax.models import POOLINGS
from rnn_jax.models.functional import split
from rnn_jax.settings import with_flat
from rnn_jax.tasks.text_classifier import Network, make_model
from tests.training.runs import CONFIG

LENGTHS = np.array([5, 1, 8, 3, 3, 2, 7, 4], np.int32)


@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("pooling", POOLINGS)
def test_a_row_of_texts_is_as_each_alone(pooling, bidirectional, rng):
    check(rng, pooling=pooling, bidirectional=bidirectional, num_layers=2)


@pytest.mark.parametrize(
    "changes",
    [
        {"cell": "mingru", "block": "residual"},
        {"cell": "sru", "unroll": "newton"},
        {"cell": "lstm", "dense": True, "num_layers": 2},
    ],
)
def test_whatever_the_layers_are(changes, rng):
    check(rng, pooling="mean_max", **changes)


def check(rng, **changes):
    settings = with_flat(CONFIG, **{"log_count_ratios": 1, **changes})
    apply, init = split(lambda: make_model(settings))
    network, params = Network(settings, apply), init()
    size = settings.text.vocabulary_size
    columns = {
        "tokens": [rng.integers(1, size, length).astype(np.int32) for length in LENGTHS],
        "ratios": [rng.normal(size=(length, ratio_features(1))).astype(np.float32) for length in LENGTHS],
        "labels": rng.integers(0, 2, len(LENGTHS)).astype(np.int32),
    }
    packed = Packed(columns, LENGTHS, 10, 6)
    assert packed.steps == 1
    assert len(packed.rows) < len(LENGTHS)
    alone = Bucketed(columns, LENGTHS, (10,), len(LENGTHS))

    def differentiate(data):
        (plan,) = data.once()
        batch = jax.tree.map(jnp.asarray, data.batch(plan))

        def loss(params):
            sums, _, _ = network.evaluate(params, batch, ())
            return sums["loss"].total, sums

        return jax.value_and_grad(loss, has_aux=True)(params)

    jax.tree.map(
        lambda a, b: np.testing.assert_allclose(a, b, atol=2e-6, rtol=2e-5),
        differentiate(packed),
        differentiate(alone),
    )
