"""Decoders against loops in NumPy, and beam search against all texts there are."""

from itertools import product

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from rnn_jax.cells import CELLS
from rnn_jax.errors import UserError
from rnn_jax.models.beam_search import beam_search
from rnn_jax.models.decoder import Decoder, DecoderSettings
from rnn_jax.models.dropout import make_keys
from rnn_jax.models.translator import Translator
from rnn_jax.settings import check, with_flat

B, S, T, M, V, H, E = 2, 4, 5, 3, 7, 6, 4
END = 1
SMALL = with_flat(
    DecoderSettings(),
    hidden_size=H,
    embedding_size=E,
    dropout=0.0,
    word_dropout=0.0,
    embedding_dropout=0.0,
)


def drawn(model, seed=1):
    """A model whose weights are all drawn."""
    graph, params = nnx.split(model)
    rng = np.random.default_rng(seed)
    return nnx.merge(
        graph, jax.tree.map(lambda leaf: jnp.asarray(0.7 * rng.normal(size=leaf.shape), leaf.dtype), params)
    )


def decoder(settings):
    return drawn(Decoder(settings, memory_size=M, vocabulary_size=V, end=END, rngs=nnx.Rngs(0)))


@pytest.fixture
def data(rng):
    values = rng.normal(size=(B, S, M)).astype(np.float32)
    valid = np.arange(S) < np.array([[S], [S - 2]])
    tokens = rng.integers(0, V, (B, T)).astype(np.int32)
    return values, valid, tokens


def weight(layer):
    return np.asarray(layer.kernel[...])


def linear(layer, x):
    return x @ weight(layer) + np.asarray(layer.bias[...])


def softmax(x):
    e = np.exp(x - x.max())
    return e / e.sum()


@pytest.mark.parametrize("cell", ["gru", "lstm"])
@pytest.mark.parametrize("attention", ["luong", "bahdanau", "none"])
def test_a_decoder_is_its_equations(attention, cell, data):
    values, valid, tokens = data
    model = decoder(with_flat(SMALL, attention=attention, cell=cell))
    memory = model.remember(jnp.asarray(values), jnp.asarray(valid))
    found = model(memory, model.shifted(jnp.asarray(tokens)), None, model.start(memory))
    (params,) = model.recurrent.params()
    table = np.asarray(model.embedding.embedding[...])
    for b in range(B):
        there = values[b, valid[b]]
        whole = there.mean(axis=0)
        first = np.tanh(linear(model.first, whole))
        zero = CELLS[cell].initial_state(params, (1,))
        leaves, structure = jax.tree.flatten(zero)
        state = jax.tree.unflatten(
            structure, [jnp.asarray(part[None]) for part in np.split(first, len(leaves))]
        )

        def read(query, there=there):
            if attention == "luong":
                scores = there @ weight(model.attention.keys) @ query
            else:
                asked = np.tanh(query @ weight(model.attention.query) + linear(model.attention.keys, there))
                scores = asked @ weight(model.attention.score)[:, 0]
            weights = softmax(scores)
            return weights @ there, weights

        for t in range(T):
            x = table[tokens[b, t - 1] if t else END]
            if attention == "bahdanau":
                context, weights = read(np.asarray(state.hidden[0]))
                x = np.concatenate([x, context])
            elif attention == "none":
                context, weights = whole, np.zeros(0)
                x = np.concatenate([x, context])
            state, y = CELLS[cell].step(params, state, jnp.asarray(x[None]))
            if attention == "luong":
                context, weights = read(np.asarray(y[0]))
            hidden = np.tanh(linear(model.projection, np.concatenate([np.asarray(y[0]), context])))
            np.testing.assert_allclose(found.hidden[b, t], hidden, atol=1e-5)
            np.testing.assert_allclose(found.weights[b, t, : len(weights)], weights, atol=1e-5)
            assert np.abs(found.weights[b, t, len(weights) :]).max(initial=0) < 1e-6


@pytest.mark.parametrize("attention", ["luong", "bahdanau", "none"])
def test_losses_are_those_of_all_tokens(attention, data):
    """The cross-entropy, and that with a share of the target spread over all tokens; derivatives, too."""
    values, valid, tokens = data
    model = decoder(with_flat(SMALL, attention=attention, label_smoothing=0.2))
    graph, params = nnx.split(model)

    def by_hand(params):
        model = nnx.merge(graph, params)
        memory = model.remember(jnp.asarray(values), jnp.asarray(valid))
        hidden = model(memory, model.shifted(jnp.asarray(tokens)), None, model.start(memory)).hidden
        logs = jax.nn.log_softmax(hidden @ model.embedding.embedding[...].T + model.bias[...])
        target = 0.8 * jax.nn.one_hot(tokens, V) + 0.2 / V
        own = -jnp.take_along_axis(logs, tokens[..., None], axis=-1)[..., 0]
        return own, -(target * logs).sum(axis=-1)

    def found(params):
        model = nnx.merge(graph, params)
        memory = model.remember(jnp.asarray(values), jnp.asarray(valid))
        return model.losses(memory, jnp.asarray(tokens), jnp.array([T, T]))

    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=1e-5), found(params), by_hand(params))
    mine, theirs = (jax.grad(lambda p, of=of: of(p)[1].sum())(params) for of in (found, by_hand))
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=2e-4), mine, theirs)


@pytest.mark.parametrize("attention", ["luong", "bahdanau", "none"])
def test_what_is_not_there_changes_nothing(attention, data):
    values, valid, tokens = data
    model = decoder(with_flat(SMALL, attention=attention))
    changed = np.where(valid[..., None], values, 9.0)
    first, second = (
        model.losses(
            model.remember(jnp.asarray(v), jnp.asarray(valid)), jnp.asarray(tokens), jnp.array([T, T])
        )
        for v in (values, changed)
    )
    np.testing.assert_allclose(first[0], second[0], atol=1e-6)


def translator(attention, beams=1):
    settings = with_flat(SMALL, attention=attention, beams=beams)
    model = Translator(settings, source_size=V, target_size=V, end=END, rngs=nnx.Rngs(0))
    return drawn(model, seed=3)


@pytest.mark.parametrize("attention", ["luong", "bahdanau", "none"])
def test_one_beam_takes_the_likeliest_token(attention, rng):
    model = translator(attention)
    source, lengths = jnp.asarray(rng.integers(1, V, (B, S))), jnp.array([S, 2])
    written = np.asarray(model.write((source, lengths), beams=1, most=T))
    memory = model.read(source, lengths)
    output = model.decoder.output()
    for b in range(B):
        before, own = [END], jax.tree.map(lambda leaf, b=b: leaf[b : b + 1], memory)
        while len(before) <= T:
            state = model.decoder.start(own)
            hidden = model.decoder(own, jnp.array([before]), None, state).hidden[0, -1]
            logits = np.array(hidden @ output.kernel.T + output.bias)
            logits[0] = -np.inf
            before.append(int(logits.argmax()))
            if before[-1] == END:
                break
        expected = before[1:] + [END] * (T - len(before) + 1)
        assert written[b].tolist() == expected


def test_enough_beams_find_the_likeliest_text():
    """Of a made-up chain of tokens, by log-probability a token, against all texts that there are."""
    chain = jax.nn.log_softmax(2 * jax.random.normal(jax.random.key(4), (3, 4, 4)))  # of 3 examples
    most, end = 3, 0

    def step(before, state):
        return chain[state, before], state

    found = np.asarray(beam_search(step, jnp.arange(3), 3, beams=64, end=end, most=most))
    for example in range(3):
        texts = {}
        for text in product(range(4), repeat=most):
            stop = text.index(end) + 1 if end in text else most
            own, before, score = text[:stop], end, 0.0
            for token in own:
                score += float(chain[example, before, token])
                before = token
            texts[own] = score / len(own)
        best = max(texts, key=texts.get)
        assert found[example].tolist() == [*best, *[end] * (most - len(best))]


def test_more_beams_find_likelier_texts(rng):
    model = translator("luong")
    source, lengths = jnp.asarray(rng.integers(1, V, (8, S))), jnp.full(8, S)

    def score(texts):
        ended = np.cumsum(np.asarray(texts) == END, axis=1)
        counted = (ended == 0) | ((ended == 1) & (np.asarray(texts) == END))
        losses = model.losses((source, lengths), texts, jnp.full(8, T))[0]
        return (np.asarray(losses) * counted).sum(axis=1) / counted.sum(axis=1)

    one, many = (score(model.write((source, lengths), beams=beams, most=T)) for beams in (1, 5))
    assert many.mean() < one.mean()
    assert (many <= one + 1e-5).mean() > 0.7


def test_several_texts_of_an_example_are_as_one_each(rng):
    model = translator("luong")
    source, lengths = jnp.asarray(rng.integers(1, V, (B, S))), jnp.array([S, 3])
    tokens = jnp.asarray(rng.integers(1, V, (B, 3, T)))
    ends = jnp.asarray(rng.integers(1, T + 1, (B, 3)))
    together = model.losses((source, lengths), tokens, ends)
    for c in range(3):
        alone = model.losses((source, lengths), tokens[:, c], ends[:, c])
        steps = np.arange(T) < np.asarray(ends)[:, c, None]
        for mine, own in zip(together, alone, strict=True):
            np.testing.assert_allclose(np.asarray(mine)[:, c][steps], np.asarray(own)[steps], atol=1e-5)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"bidirectional": True}, "--bidirectional"),
        ({"zoneout": 0.1}, "--zoneout"),
        ({"attention": "bahdanau", "num_layers": 2}, "--num-layers 1"),
        ({"attention": "bahdanau", "cell": "lru"}, "--attention luong"),
    ],
)
def test_what_cannot_write(settings, words):
    with pytest.raises(UserError, match=words):
        check(with_flat(DecoderSettings(), **settings))


@pytest.mark.parametrize("cell", ["lru", "sru", "indrnn"])
def test_other_cells_write_too(cell, data):
    values, valid, tokens = data
    model = decoder(with_flat(SMALL, cell=cell, num_layers=2))
    losses, _ = model.losses(
        model.remember(jnp.asarray(values), jnp.asarray(valid)), jnp.asarray(tokens), jnp.array([T, T])
    )
    assert np.isfinite(losses).all()


@pytest.mark.parametrize("attention", ["luong", "bahdanau"])
def test_noise_belongs_to_examples(attention, rng):
    """All kinds that there are; a text has its own, wherever it stands in a batch."""
    noise = {"dropout": 0.3, "word_dropout": 0.3, "embedding_dropout": 0.3, "recurrent_dropout": 0.3}
    settings = with_flat(SMALL, attention=attention, **noise)
    model = drawn(Translator(settings, source_size=V, target_size=V, end=END, rngs=nnx.Rngs(0)))
    source, tokens = (jnp.asarray(rng.integers(1, V, (B, size))) for size in (S, T))

    def losses(rows):
        keys = make_keys(jax.random.key(5), rows)
        lengths = jnp.full(len(rows), S), jnp.full(len(rows), T)
        return model.losses((source[rows], lengths[0]), tokens[rows], lengths[1], keys)[0]

    both = losses(jnp.arange(B))
    np.testing.assert_allclose(both[1:], losses(jnp.array([1])), atol=1e-5)
    still = model.losses((source, jnp.full(B, S)), tokens, jnp.full(B, T))[0]
    assert np.abs(np.asarray(both) - np.asarray(still)).max() > 0.01
