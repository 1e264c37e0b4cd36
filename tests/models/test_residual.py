"""Residual blocks, against their equations in NumPy."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from rnn_jax.cells import CELLS
from rnn_jax.errors import UserError
from rnn_jax.models import RecurrentSettings
from rnn_jax.models.dropout import make_keys
from rnn_jax.models.networks import EncoderSettings
from rnn_jax.models.pooling import maximum
from rnn_jax.models.recurrent import Recurrent
from rnn_jax.settings import check, to_flat, with_flat
from rnn_jax.tasks import language_model
from rnn_jax.unroll import dynamic, run_layer

B, T, D, H = 3, 6, 4, 5
LENGTHS = np.array([6, 0, 4])
APART = with_flat(language_model.Settings(), dataset="imdb", reading="apart")


def make(cell="lru", **settings):
    """Two layers whose weights are all drawn, those of normalisations and biases included."""
    layers = Recurrent(
        RecurrentSettings(cell=cell, hidden_size=H, num_layers=2, block="residual", **settings),
        D,
        nnx.Rngs(0),
    )
    graph, params = nnx.split(layers)
    leaves, structure = jax.tree.flatten(params)
    rng = np.random.default_rng(1)
    moved = [leaf + jnp.asarray(0.1 * rng.normal(size=leaf.shape), leaf.dtype) for leaf in leaves]
    return nnx.merge(graph, jax.tree.unflatten(structure, moved))


def in_numpy(layers, x, lengths):
    """The equations, with what a layer makes of its inputs given."""

    def norm(module, values):
        centred = values - values.mean(axis=-1, keepdims=True)
        scaled = centred / np.sqrt((centred**2).mean(axis=-1, keepdims=True) + 1e-6)
        return scaled * np.asarray(module.scale[...]) + np.asarray(module.bias[...])

    def linear(module, values):
        return values @ np.asarray(module.kernel[...]) + np.asarray(module.bias[...])

    around, cell = layers.residual, CELLS[layers.settings.cell]
    values = linear(around.entrance, x)
    for block, params in zip(around.blocks, layers.params(), strict=True):
        read = np.asarray(run_layer(dynamic, cell, params, norm(block.norm, values), lengths).outputs)
        projected = linear(block.projection, read)
        values = values + projected[..., :H] / (1 + np.exp(-projected[..., H:]))
    values = linear(around.exit, norm(around.norm, values))
    return values * (np.arange(T) < lengths[:, None])[..., None]


@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("cell", ["lru", "gru"])
def test_blocks_are_their_equations(cell, bidirectional, rng):
    layers = make(cell, bidirectional=bidirectional)
    x = rng.normal(size=(B, T, D)).astype(np.float32)
    outputs, states = layers(x, LENGTHS)
    np.testing.assert_allclose(outputs, in_numpy(layers, x, LENGTHS), atol=2e-5)
    assert layers.output_size == outputs.shape[-1] == H
    assert len(states) == 2


def test_padding_changes_nothing(rng):
    """Whatever it holds: neither outputs, nor states, nor gradients."""
    layers = make()
    x = rng.normal(size=(B, T, D)).astype(np.float32)
    spoilt = np.where((np.arange(T) < LENGTHS[:, None])[..., None], x, np.nan)
    graph, params = nnx.split(layers)

    def loss(params, x):
        outputs, states = nnx.merge(graph, params)(x, LENGTHS)
        return (outputs**2).sum() + sum(jnp.abs(leaf).sum() for leaf in jax.tree.leaves(states))

    ends = [jax.value_and_grad(loss)(params, each) for each in (x, spoilt)]
    jax.tree.map(np.testing.assert_array_equal, *ends)


def test_a_sequence_goes_on_from_its_states(rng):
    layers = make("minlstm")
    x = rng.normal(size=(B, T, D)).astype(np.float32)
    whole = layers(x)
    first = layers(x[:, :2])
    second = layers(x[:, 2:], initial_state=first.state)
    np.testing.assert_allclose(
        jnp.concatenate([first.outputs, second.outputs], axis=1), whole.outputs, atol=1e-5
    )
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=1e-5), second.state, whole.state)


def test_dropout_is_within_the_blocks(rng):
    """A mask a block: with all of what a layer adds dropped, inputs come through."""
    layers = make(dropout=0.999999)
    x = rng.normal(size=(B, T, D)).astype(np.float32)
    outputs = layers(x, keys=make_keys(jax.random.key(0), jnp.arange(B))).outputs
    around = layers.residual
    np.testing.assert_allclose(outputs, around.exit(around.norm(around.entrance(x))), atol=1e-6)


def test_a_maximum_over_time_keeps_its_derivative_when_compiled(rng):
    """Which a compiler has lost that worked out a normalisation anew, with another rounding."""
    graph, params = nnx.split(make("gru"))
    x = rng.normal(size=(32, 12, D)).astype(np.float32)

    def loss(params):
        outputs = nnx.merge(graph, params)(x, np.full(32, 12))
        return (maximum(outputs, np.full(32, 12)) ** 2).sum()

    with jax.disable_jit():
        expected = jax.grad(loss)(params)
    found = jax.jit(jax.grad(loss))(params)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-3), found, expected)


def test_gates_are_of_what_the_first_layer_reads(rng):
    layers = make("gru")
    x = rng.normal(size=(T, D)).astype(np.float32)
    read = layers.residual.blocks[0].norm(layers.residual.entrance(x))
    plain = Recurrent(RecurrentSettings(cell="gru", hidden_size=H), H, nnx.Rngs(0))
    plain.layers = nnx.data(layers.layers[:1])
    jax.tree.map(np.testing.assert_array_equal, layers.gates(x), plain.gates(read))


@pytest.mark.parametrize(
    ("settings", "names"),
    [
        (with_flat(EncoderSettings(), block="residual", dense=True), "--dense True: residual blocks"),
        (
            with_flat(EncoderSettings(), block="residual", bidirectional=True, pooling="last"),
            "--pooling last: residual blocks mix",
        ),
        (with_flat(EncoderSettings(), network="bag", block="residual"), "--block residual: --network bag"),
        (
            with_flat(APART, bidirectional=True, block="residual"),
            "--block residual: with --bidirectional",
        ),
    ],
)
def test_what_does_not_go_together_is_said(settings, names):
    with pytest.raises(UserError, match=names):
        check(settings)


def test_without_blocks_all_is_as_it_was():
    assert to_flat(RecurrentSettings())["block"] == "none"
    assert not hasattr(Recurrent(RecurrentSettings(), D, nnx.Rngs(0)), "residual")
