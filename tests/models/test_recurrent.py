"""Where noise goes in a stack of layers: each kind by itself, against a stack built by hand."""

from collections.abc import Sequence

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from rnn_jax.cells import CELLS
from rnn_jax.cells.clipped import ClippedParams, clipped
from rnn_jax.cells.learned_initial_state import InitialStateParams, learned_initial_state
from rnn_jax.cells.noise import MaskedParams, ZoneoutParams, recurrent_dropout, zoneout
from rnn_jax.errors import UserError
from rnn_jax.models import RecurrentSettings
from rnn_jax.models.dropout import dropout, make_keys, weight_dropout
from rnn_jax.models.recurrent import BETWEEN_LAYERS, RECURRENT, WEIGHTS, ZONEOUT, Recurrent
from rnn_jax.settings import check
from rnn_jax.unroll import dynamic

B, T, D, H = 3, 6, 4, 5
LENGTHS = jnp.array([6, 0, 4])
KEYS = make_keys(jax.random.key(7), jnp.arange(B))
LSTM = CELLS["lstm"]


@pytest.fixture
def x(rng):
    return jnp.asarray(rng.normal(size=(B, T, D)), jnp.float32)


def make(**rates):
    """Two bidirectional layers, and the parameters of their four cells, first layer first."""
    settings = RecurrentSettings(
        **{"hidden_size": H, "num_layers": 2, "bidirectional": True, "unroll": "dynamic", "dropout": 0.0}
        | rates
    )
    layers = Recurrent(settings, D, nnx.Rngs(0))
    params = layers.params()
    return layers, [half for layer in params for half in layer]


def by_hand(cell, four, x, between=lambda outputs: outputs):
    for forward, backward in (four[:2], four[2:]):
        x = jnp.concatenate(
            [
                dynamic(cell, forward, x, LENGTHS).outputs,
                dynamic(cell, backward, x, LENGTHS, reverse=True).outputs,
            ],
            axis=-1,
        )
        last, x = x, between(x)
    return last


def all_different(arrays: Sequence[jax.Array]) -> bool:
    return len({np.asarray(array).tobytes() for array in arrays}) == len(arrays)


@pytest.mark.slow
def test_dropout_between_layers(x):
    layers, four = make(dropout=0.5)
    expected = by_hand(LSTM, four, x, lambda outputs: dropout(outputs, 0.5, KEYS, BETWEEN_LAYERS))
    np.testing.assert_allclose(layers(x, LENGTHS, keys=KEYS).outputs, expected, atol=1e-6)
    np.testing.assert_allclose(layers(x, LENGTHS).outputs, by_hand(LSTM, four, x), atol=1e-6)
    assert not np.allclose(expected, by_hand(LSTM, four, x), atol=1e-2)


def test_recurrent_dropout_has_a_mask_of_its_own_for_each_layer_and_direction(x):
    layers, four = make(recurrent_dropout=0.5)
    masks = [dropout(jnp.ones((B, H)), 0.5, KEYS, RECURRENT + number) for number in range(4)]
    assert all_different(masks)
    masked = [MaskedParams(params, mask) for params, mask in zip(four, masks, strict=True)]
    expected = by_hand(recurrent_dropout(LSTM), masked, x)
    np.testing.assert_allclose(layers(x, LENGTHS, keys=KEYS).outputs, expected, atol=1e-6)
    np.testing.assert_allclose(layers(x, LENGTHS).outputs, by_hand(LSTM, four, x), atol=1e-6)


@pytest.mark.slow
def test_zoneout_draws_for_each_layer_and_direction(x):
    layers, four = make(zoneout=0.5)
    keys = [jax.vmap(lambda k: jax.random.fold_in(k, ZONEOUT + n))(KEYS.examples) for n in range(4)]  # noqa: B023
    assert all_different([jax.random.key_data(key) for key in keys])
    zoned = [ZoneoutParams(params, 0.5, key) for params, key in zip(four, keys, strict=True)]
    expected = by_hand(zoneout(LSTM), zoned, x)
    np.testing.assert_allclose(layers(x, LENGTHS, keys=KEYS).outputs, expected, atol=1e-6)
    calm = by_hand(zoneout(LSTM), [ZoneoutParams(params, 0.5, None) for params in four], x)
    np.testing.assert_allclose(layers(x, LENGTHS).outputs, calm, atol=1e-6)
    assert not np.allclose(expected, calm, atol=1e-2)


def test_weight_dropout_is_of_recurrent_weights_alone_and_differs_from_cell_to_cell(x):
    layers, four = make(weight_dropout=0.5)
    kernels = [weight_dropout(p.recurrent_kernel, 0.5, KEYS, WEIGHTS + n) for n, p in enumerate(four)]
    assert all_different([kernel == 0 for kernel in kernels])
    thinned = [p._replace(recurrent_kernel=kernel) for p, kernel in zip(four, kernels, strict=True)]
    expected = by_hand(LSTM, thinned, x)
    np.testing.assert_allclose(layers(x, LENGTHS, keys=KEYS).outputs, expected, atol=1e-6)
    np.testing.assert_allclose(layers(x, LENGTHS).outputs, by_hand(LSTM, four, x), atol=1e-6)


def test_initial_states_that_are_learnt_belong_to_each_layer_and_direction(x):
    layers, four = make(learned_initial_state=True)
    np.testing.assert_array_equal(layers(x, LENGTHS).outputs, by_hand(LSTM, four, x))  # zeros, at first
    for number, start in enumerate(layers.starts):
        start.hidden[...] = jnp.full(H, 0.1 * (number + 1))
    starts = [
        LSTM.initial_state(params, ())._replace(hidden=jnp.full(H, 0.1 * n))
        for n, params in enumerate(four, 1)
    ]
    begun = [InitialStateParams(params, start) for params, start in zip(four, starts, strict=True)]
    expected = by_hand(learned_initial_state(LSTM), begun, x)
    np.testing.assert_allclose(layers(x, LENGTHS).outputs, expected, atol=1e-6)
    gradients = nnx.grad(lambda layers: layers(x, LENGTHS).outputs.sum())(layers)
    assert all(jnp.abs(leaf).max() > 0 for leaf in jax.tree.leaves(gradients["starts"]))


def test_a_clipped_gradient_is_that_of_each_layer_and_direction(x):
    layers, four = make(clip_state_gradient=0.01)
    limited = [ClippedParams(params, 0.01) for params in four]
    np.testing.assert_array_equal(layers(x, LENGTHS).outputs, by_hand(LSTM, four, x))
    found = jax.grad(lambda x: layers(x, LENGTHS).outputs.sum())(x)
    np.testing.assert_allclose(
        found, jax.grad(lambda x: by_hand(clipped(LSTM), limited, x).sum())(x), atol=1e-6
    )
    assert not np.allclose(found, jax.grad(lambda x: by_hand(LSTM, four, x).sum())(x), atol=1e-3)


@pytest.mark.parametrize(
    "changes", [{"zoneout": 0.2}, {"learned_initial_state": True}, {"clip_state_gradient": 1.0}]
)
def test_the_state_before_the_first_step_is_that_which_the_layers_begin_in(changes, x):
    settings = RecurrentSettings(cell="lstm", hidden_size=H, num_layers=2, **changes)
    layers = Recurrent(settings, D, nnx.Rngs(0))
    for start in layers.starts:
        start.hidden[...] = jnp.full(H, 0.5)
    whole, start = layers(x, LENGTHS), layers.initial_state(B)
    np.testing.assert_array_equal(layers(x, LENGTHS, start).outputs, whole.outputs)
    with_start = jnp.concatenate([jnp.ravel(leaf) for leaf in jax.tree.leaves(start)]).any()
    assert with_start == settings.learned_initial_state


def test_a_state_that_not_any_numbers_make_is_not_learnt():
    with pytest.raises(UserError, match="--learned-initial-state True: is not known for --cell slstm"):
        check(RecurrentSettings(cell="slstm", learned_initial_state=True))
