"""Weights from Keras: outputs and gradients of the installed library."""

import jax
import numpy as np
import pytest

from rnn_jax.cells import CELLS
from rnn_jax.errors import UserError
from rnn_jax.interchange.keras import from_keras, from_keras_model, load_keras_model
from rnn_jax.unroll import dynamic, run_layers

# Keras's own, where NumPy reads its variables.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

B, T, D, H = 2, 5, 3, 4
KINDS = {
    "lstm": ("LSTM", {}),
    "gru": ("GRU", {}),
    "gru_v3": ("GRU", {"reset_after": False}),
    "elman": ("SimpleRNN", {}),
    "elman_relu": ("SimpleRNN", {"activation": "relu"}),
}


@pytest.fixture
def keras(monkeypatch):
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    return pytest.importorskip("keras", reason="compares with Keras: pip install keras")


def read(cell, weights):
    return from_keras(weights, relu=cell == "elman_relu", reset_after=cell != "gru_v3")


def close(ours, theirs):
    np.testing.assert_allclose(np.asarray(ours), np.asarray(theirs), atol=2e-5, rtol=2e-5)


@pytest.mark.parametrize("cell", KINDS)
@pytest.mark.parametrize("both", [False, True], ids=["forward", "both"])
@pytest.mark.parametrize("biased", [True, False], ids=["bias", "no bias"])
def test_the_same_outputs_and_gradients(cell, both, biased, keras, rng):
    kind, options = KINDS[cell]
    make = getattr(keras.layers, kind)

    def layer():
        own = make(H, return_sequences=True, use_bias=biased, **options)
        return keras.layers.Bidirectional(own) if both else own

    model = keras.Sequential([keras.Input((T, D)), layer(), layer()])
    for own in model.layers:
        own.set_weights([0.5 * rng.normal(size=each.shape) for each in own.get_weights()])
    found, params = read(cell, [own.get_weights() for own in model.layers])
    assert found == cell
    x = rng.normal(size=(B, T, D)).astype(np.float32)
    weights = rng.normal(size=(B, T, H * (1 + both))).astype(np.float32)

    def theirs(x):
        outputs, _ = model.stateless_call(*variables, x)
        return (outputs * weights).sum(), outputs

    def ours(x):
        outputs = run_layers(dynamic, CELLS[cell], params, x).outputs
        return (outputs * weights).sum(), outputs

    variables = (
        [v.value for v in model.trainable_variables],
        [v.value for v in model.non_trainable_variables],
    )
    mine, expected = (jax.jit(jax.grad(each, has_aux=True))(x) for each in (ours, theirs))
    close(mine[1], expected[1])
    close(mine[0], expected[0])


def lstm(size=D):
    return [np.zeros((size, 4 * H)), np.zeros((H, 4 * H)), np.zeros(4 * H)]


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ([], "no layers: pass"),
        ([[*lstm(), np.zeros(3), np.zeros(3)]], "layer 0 has 5 arrays: a recurrent layer has 2 or 3"),
        (
            [[np.zeros((D, 8)), np.zeros((4, 8))]],
            r"recurrent kernel of layer 0 is \[4, 8\]: expected \[H, gates",
        ),
        ([lstm(), lstm(5)], r"the kernel of layer 1 is \[5, 16\]: expected \[4, 16\]"),
        ([lstm(), [np.zeros((4, 12)), np.zeros((4, 12))]], "layer 1 is gru, and layer 0 lstm"),
        (
            [[np.zeros((D, 12)), np.zeros((4, 12)), np.zeros(12)]],
            r"bias of layer 0 is \[12\]: expected \[2, 12\]",
        ),
    ],
)
def test_what_does_not_fit_is_named(weights, message):
    with pytest.raises(UserError, match=message):
        from_keras(weights)


def test_only_a_simple_network_has_an_activation_to_choose():
    with pytest.raises(UserError, match="only a SimpleRNN has an activation to choose, and this is lstm"):
        from_keras([lstm()], relu=True)


def test_models_that_no_cell_here_computes_are_refused(keras, tmp_path):
    kinds = keras.layers
    for layer, words in (
        (kinds.Dense(3), "has no LSTM, GRU, SimpleRNN: its layers are Dense"),
        (kinds.LSTM(3, activation="relu"), "has activation=relu"),
        (kinds.GRU(3, recurrent_activation="relu"), "has recurrent_activation=relu"),
        (kinds.LSTM(3, go_backwards=True), "has go_backwards=True"),
        (kinds.Bidirectional(kinds.LSTM(3), merge_mode="sum"), "has merge_mode=sum"),
    ):
        model = keras.Sequential([keras.Input((T, D)), layer])
        with pytest.raises(UserError, match=words):
            from_keras_model(model)
    (tmp_path / "model.keras").write_text("no model")
    with pytest.raises(UserError, match=r"model\.keras cannot be read as a model of Keras 3"):
        load_keras_model(tmp_path / "model.keras")


def test_a_model_of_relu_layers(keras, rng):
    kinds = keras.layers
    own = [kinds.SimpleRNN(H, activation="relu", return_sequences=True), kinds.GRU(H, reset_after=False)]
    for layer, cell in zip(own, ("elman_relu", "gru_v3"), strict=True):
        model = keras.Sequential([keras.Input((T, D)), layer])
        assert from_keras_model(model).cell == cell
    with pytest.raises(UserError, match="several activations"):
        from_keras_model(keras.Sequential([keras.Input((T, D)), *own]))
