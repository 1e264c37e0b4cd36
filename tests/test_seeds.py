import jax
import numpy as np
import pytest

from rnn_jax.data.batches import plan_epoch
from rnn_jax.errors import UserError
from rnn_jax.seeds import LARGEST, make_key
from rnn_jax.settings import check, with_flat
from rnn_jax.tasks.text_classifier import make_model
from tests.training.runs import CONFIG

ALIKE = (5, 2**32 + 5, 2**33 + 5, 5 * 2**32, 5 * 2**32 + 5, LARGEST)  # in one half of their bits, or nearly


@pytest.mark.parametrize("seed", [0, 1, 2**31 - 1, 2**31, 2**32 - 1])
def test_small_seeds_give_what_jax_gives(seed):
    assert (jax.random.key_data(make_key(seed)) == jax.random.key_data(jax.random.key(seed))).all()


def test_every_bit_counts_in_keys_weights_and_the_order_of_reviews():
    keys = {tuple(jax.random.key_data(make_key(seed)).tolist()) for seed in ALIKE}
    assert len(keys) == len(ALIKE)
    kernels = set()
    for seed in ALIKE[:3]:
        model = make_model(with_flat(CONFIG, seed=seed, network="bag"))
        kernels.add(float(model.embedding.embedding[0, 0]))
    assert len(kernels) == 3
    lengths = np.full(50, 4)
    orders = {
        tuple(plan_epoch(lengths, (4,), 50, seed, epoch)[0].indices) for seed in ALIKE for epoch in range(8)
    }
    assert len(orders) == 8 * len(ALIKE)  # no epoch of one seed is an epoch of another


def test_the_order_of_small_seeds_is_as_it_was():
    (plan,) = plan_epoch(np.full(50, 4), (4,), 50, seed=3, epoch=2)
    np.testing.assert_array_equal(plan.indices, np.random.default_rng([3, 2]).permutation(50))


@pytest.mark.parametrize("seed", [-1, LARGEST + 1])
def test_other_numbers_are_refused(seed):
    for use in (make_key, lambda seed: check(with_flat(CONFIG, seed=seed))):
        with pytest.raises(UserError, match=f"--seed {seed}: must be from 0 to"):
            use(seed)
