import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from rnn_jax.cells import CELLS
from rnn_jax.data.log_count_ratios import ratio_features
from rnn_jax.data.vocabulary import UNKNOWN
from rnn_jax.models import POOLINGS, Recurrent, RecurrentSettings, count_parameters, summarize
from rnn_jax.models.dropout import Keys, dropout, make_keys, vocabulary_dropout, weight_dropout, word_dropout
from rnn_jax.models.functional import split
from rnn_jax.models.pooling import Attention, maximum
from rnn_jax.settings import with_flat
from rnn_jax.tasks.text_classification import Settings
from rnn_jax.tasks.text_classifier import make_model
from rnn_jax.unroll import Unrolled, dynamic, run_layer, run_layers

V, E, H, T = 20, 4, 3, 6
LENGTHS = jnp.array([6, 0, 2])


@pytest.fixture
def tokens(rng):
    tokens = rng.integers(1, V, (3, T))
    return jnp.where(jnp.arange(T) < LENGTHS[:, None], tokens, 0)


QUIET = with_flat(
    Settings(),
    vocabulary_size=V,
    embedding_size=E,
    hidden_size=H,
    unroll="dynamic",
    pooling="last",
    word_dropout=0.0,
    embedding_dropout=0.0,
    dropout=0.0,
)


def make(**changes):
    return make_model(with_flat(QUIET, **changes))


@pytest.mark.parametrize("pooling", ["last", "mean", "max", "mean_max"])
@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize(
    "cell",
    ["lstm", "qrnn", *(pytest.param(name, marks=pytest.mark.slow) for name in ("elman", "gru", "lru"))],
)
def test_the_classifier_is_its_parts_by_hand(cell, bidirectional, pooling, tokens):
    model = make(cell=cell, bidirectional=bidirectional, pooling=pooling, num_layers=2)
    params = model.layers.recurrent.params()
    unrolled = run_layers(dynamic, CELLS[cell], params, model.embedding.embedding[...][tokens], LENGTHS)
    pooled = pool_by_hand(pooling, np.asarray(unrolled.outputs), np.asarray(LENGTHS), bidirectional)
    expected = pooled @ model.head.kernel[...][:, 0] + model.head.bias[...][0]
    np.testing.assert_allclose(model(tokens, LENGTHS), expected, atol=1e-6)


def test_ratios_are_read_beside_the_word_vectors(tokens, rng):
    model = make(log_count_ratios=2, pooling="max")
    ratios = jnp.asarray(rng.normal(size=(3, T, ratio_features(2))), jnp.float32)
    vectors = jnp.concatenate([model.embedding(tokens), ratios], axis=-1)
    pooled = model.layers.pool(model.layers.recurrent(vectors, LENGTHS), LENGTHS)
    np.testing.assert_allclose(model(tokens, LENGTHS, ratios), model.head(pooled)[:, 0], atol=1e-6)
    assert "log-count ratios of n-grams" in summarize(model, T)


def test_a_bag_of_words_and_pairs_by_hand(tokens):
    """The mean over words of their vector and that of the pair that ends there, and the head."""
    model = make(network="bag", pair_buckets=50)
    words, pairs = np.asarray(model.embedding(tokens)), np.asarray(model.pairs(tokens))
    assert np.abs(pairs[0, 1:]).min() > 0
    for row, (length, found) in enumerate(zip(LENGTHS, model(tokens, LENGTHS), strict=True)):
        mean = (words + pairs)[row, :length].sum(axis=0) / max(length, 1)
        np.testing.assert_allclose(found, model.head(mean)[0], atol=1e-6)
    trained = nnx.grad(lambda m: m(tokens, LENGTHS).sum())(model)["pairs"]["vectors"]["embedding"][...]
    assert jnp.abs(trained).max() > 0


def test_a_perturbation_is_added_in_units_of_the_word_vectors(tokens, rng):
    model = make(pooling="max")
    perturbation = rng.normal(size=(3, T, E)).astype(np.float32)
    vectors = np.array(model.embedding(tokens))
    for row, length in enumerate(LENGTHS):
        if length:
            vectors[row] += perturbation[row] * np.sqrt((vectors[row, :length] ** 2).mean())
    pooled = model.layers.pool(model.layers.recurrent(jnp.asarray(vectors), LENGTHS), LENGTHS)
    found = model(tokens, LENGTHS, perturbation=jnp.asarray(perturbation))
    np.testing.assert_allclose(found, model.head(pooled)[:, 0], atol=1e-6)


def test_precision_rounds_products_and_nothing_else(tokens):
    exact, rounded = make(hidden_size=16), make(hidden_size=16, precision="bfloat16")
    found, expected = rounded(tokens, LENGTHS), exact(tokens, LENGTHS)
    assert found.dtype == np.float32
    assert 0 < np.abs(found - expected).max() < 1e-2
    assert {p.dtype for p in jax.tree.leaves(nnx.state(rounded, nnx.Param))} == {np.dtype(np.float32)}


def pool_by_hand(name, outputs, lengths, bidirectional):
    rows = []
    for row, length in zip(outputs, lengths, strict=True):
        if length == 0:
            rows.append(np.zeros(outputs.shape[-1] * (2 if name == "mean_max" else 1)))
        elif name == "mean_max":
            rows.append(np.concatenate([row[:length].mean(axis=0), row[:length].max(axis=0)]))
        elif name == "mean":
            rows.append(row[:length].mean(axis=0))
        elif name == "max":
            rows.append(row[:length].max(axis=0))
        elif bidirectional:
            half = outputs.shape[-1] // 2
            rows.append(np.concatenate([row[length - 1, :half], row[0, half:]]))
        else:
            rows.append(row[length - 1])
    return np.stack(rows)


def test_max_pooling_of_negative_outputs_is_negative():
    """Padding is zero, and must not win."""
    unrolled = Unrolled(jnp.array([[[-3.0], [-2.0], [0.0]]]), ())
    assert maximum(unrolled, jnp.array([2])).tolist() == [[-2.0]]


def test_attention_is_the_equations_of_the_paper(rng):
    attention = Attention(5, nnx.Rngs(1))
    outputs, lengths = rng.normal(size=(3, 7, 5)).astype(np.float32), np.array([7, 0, 3])
    found = attention(Unrolled(jnp.asarray(outputs), ()), jnp.asarray(lengths))
    hidden, context = attention.hidden, attention.context.kernel[...]
    for row, length, ours in zip(outputs, lengths, found, strict=True):
        scores = np.tanh(row[:length] @ hidden.kernel[...] + hidden.bias[...]) @ context
        weights = np.exp(scores) / np.exp(scores).sum()
        np.testing.assert_allclose(ours, (weights * row[:length]).sum(axis=0), atol=1e-5)


def test_a_layer_of_a_dense_stack_reads_all_below(tokens):
    model = make(num_layers=3, dense=True, bidirectional=True, pooling="last")
    layers = model.layers.recurrent.params()
    inputs = model.embedding.embedding[...][tokens]
    for params in layers:
        outputs = run_layer(dynamic, CELLS["lstm"], params, inputs, LENGTHS).outputs
        inputs = jnp.concatenate([inputs, outputs], axis=-1)
    assert inputs.shape[-1] == E + 3 * 2 * H
    found = model.layers.recurrent(model.embedding(tokens), LENGTHS).outputs
    np.testing.assert_allclose(found, outputs, atol=1e-6)


@pytest.mark.slow
def test_all_noise_at_once_leaves_gradients_finite_and_answers_alike(tokens):
    rates = (
        *("word_dropout", "vocabulary_dropout", "embedding_dropout", "dropout"),
        *("recurrent_dropout", "weight_dropout", "zoneout"),
    )
    model = make(num_layers=2, bidirectional=True, dense=True, **dict.fromkeys(rates, 0.5))
    keys = make_keys(jax.random.key(0), jnp.arange(len(LENGTHS)))
    gradients = nnx.grad(lambda m: m(tokens, LENGTHS, keys=keys).sum())(model)
    assert all(jnp.isfinite(leaf).all() for leaf in jax.tree.leaves(gradients))
    np.testing.assert_array_equal(model(tokens, LENGTHS), model(tokens, LENGTHS))
    assert not np.allclose(model(tokens, LENGTHS, keys=keys), model(tokens, LENGTHS))


def test_padding_does_not_change_logits_or_gradients(tokens):
    differentiate = jax.jit(jax.value_and_grad(lambda model, tokens: model(tokens, LENGTHS).sum()))
    padded = jnp.pad(tokens, ((0, 0), (0, 5)), constant_values=7)
    for pooling in POOLINGS:
        model = make(pooling=pooling)
        short, long = differentiate(model, tokens), differentiate(model, padded)
        jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=1e-6), short, long)


def test_the_unroll_does_not_change_the_logits(tokens):
    a, b = make(unroll="static"), make(unroll="dynamic")
    np.testing.assert_allclose(a(tokens, LENGTHS), b(tokens, LENGTHS), atol=1e-6)


@pytest.mark.slow
def test_recurrent_layers_go_on_from_a_state(rng):
    settings = RecurrentSettings(cell="gru", hidden_size=H, num_layers=2, unroll="static")
    layers = Recurrent(settings, E, nnx.Rngs(0))
    x = jnp.asarray(rng.normal(size=(2, T, E)), jnp.float32)
    whole, first = layers(x), layers(x[:, :4])
    second = layers(x[:, 4:], initial_state=first.state)
    np.testing.assert_allclose(whole.outputs[:, 4:], second.outputs, atol=1e-6)


def test_a_model_as_a_function_of_its_parameters(tokens):
    apply, init = split(make)
    params = init()
    np.testing.assert_array_equal(apply(params, tokens, LENGTHS), make()(tokens, LENGTHS))
    shifted = params | {"head": {**params["head"], "bias": params["head"]["bias"] + 1}}
    np.testing.assert_allclose(apply(shifted, tokens, LENGTHS), make()(tokens, LENGTHS) + 1, atol=1e-6)


def test_the_summary_has_every_layer_with_its_shape_and_parameters():
    model = make(cell="gru", num_layers=2, bidirectional=True, pooling="max")
    first, second = 2 * (3 * H * (E + H + 1) + H), 2 * (3 * H * (2 * H + H + 1) + H)
    total = V * E + first + second + 2 * H + 1
    assert count_parameters(model) == total
    lines = [line for line in summarize(model, 50).splitlines() if "B" in line or "total" in line]
    for line, (layer, shape, parameters) in zip(
        lines,
        [
            ("embedding of 20 words", "[B, 50, 4]", V * E),
            ("gru, both directions", "[B, 50, 6]", first),
            ("gru, both directions", "[B, 50, 6]", second),
            ("max over time", "[B, 6]", 0),
            ("dense, sigmoid", "[B]", 2 * H + 1),
            ("total", "", total),
        ],
        strict=True,
    ):
        assert layer in line
        assert shape in line
        assert f" {parameters} " in line


class TestDropout:
    keys = make_keys(jax.random.key(3), jnp.arange(64))

    def test_it_keeps_the_mean_and_drops_the_rate(self):
        dropped = dropout(jnp.ones((64, 500)), 0.3, self.keys, stream=0)
        np.testing.assert_allclose(np.unique(dropped), [0, 1 / 0.7], rtol=1e-6)
        assert abs(float((dropped == 0).mean()) - 0.3) < 0.01

    def test_a_sequence_gets_one_mask_for_all_steps(self):
        dropped = np.asarray(dropout(jnp.ones((64, 9, 50)), 0.5, self.keys, stream=0))
        assert (dropped == dropped[:, :1]).all()
        assert not (dropped[0] == dropped[1]).all()

    def test_streams_and_rows_are_independent(self):
        first, second = (dropout(jnp.ones((64, 500)), 0.5, self.keys, stream=s) > 0 for s in (0, 1))
        assert abs(float((first == second).mean()) - 0.5) < 0.02
        assert abs(float((first[:-1] == first[1:]).mean()) - 0.5) < 0.02

    @pytest.mark.slow
    def test_a_mask_belongs_to_the_row_of_the_global_batch(self):
        """However many devices share the batch."""
        whole = dropout(jnp.ones((64, 20)), 0.5, self.keys, stream=0)
        second_half = dropout(
            jnp.ones((32, 20)), 0.5, make_keys(jax.random.key(3), jnp.arange(32, 64)), stream=0
        )
        np.testing.assert_array_equal(whole[32:], second_half)

    def test_dropped_words_are_unknown(self):
        dropped = word_dropout(jnp.full((64, 400), 9), 0.2, self.keys, stream=0, unknown=UNKNOWN)
        assert set(np.unique(dropped)) == {UNKNOWN, 9}
        assert abs(float((dropped == UNKNOWN).mean()) - 0.2) < 0.01

    @pytest.mark.slow
    def test_a_word_of_the_vocabulary_is_dropped_wherever_it_occurs(self, rng):
        tokens = jnp.asarray(rng.integers(0, 500, (64, 400)))
        dropped = vocabulary_dropout(jnp.ones((64, 400, 3)), tokens, 500, 0.3, self.keys, stream=0)
        np.testing.assert_allclose(np.unique(dropped), [0, 1 / 0.7], rtol=1e-6)
        found = np.array([np.unique(dropped[tokens == word]) for word in range(500)])  # one value a word
        assert found.shape == (500, 1)
        assert abs((found == 0).mean() - 0.3) < 0.06

    def test_weights_are_dropped_alike_for_all_rows(self):
        dropped = weight_dropout(jnp.ones((300, 300)), 0.3, self.keys, stream=0)
        np.testing.assert_allclose(np.unique(dropped), [0, 1 / 0.7], rtol=1e-6)
        assert abs(float((dropped == 0).mean()) - 0.3) < 0.01
        elsewhere = make_keys(jax.random.key(3), jnp.arange(5, 9))
        np.testing.assert_array_equal(weight_dropout(jnp.ones((300, 300)), 0.3, elsewhere, 0), dropped)
        assert not np.array_equal(weight_dropout(jnp.ones((300, 300)), 0.3, self.keys, stream=1), dropped)

    @pytest.mark.parametrize(
        "name",
        [
            *("word_dropout", "vocabulary_dropout", "embedding_dropout", "dropout"),
            *("recurrent_dropout", "weight_dropout"),
        ],
    )
    def test_each_rate_acts_in_training_and_only_there(self, name, tokens):
        model, plain = make(num_layers=2, **{name: 0.5}), make(num_layers=2)
        keys = Keys(self.keys.examples[:3], self.keys.shared)

        @jax.jit
        def logits(model, keys):
            return model(tokens, jnp.array([6, 4, 2]), keys=keys)

        expected = logits(plain, None)
        np.testing.assert_array_equal(logits(model, None), expected)
        np.testing.assert_array_equal(logits(plain, keys), expected)
        assert not np.allclose(logits(model, keys), expected)
