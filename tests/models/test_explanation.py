import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.stats import spearmanr

from rnn_jax.data.examples import pack
from rnn_jax.data.log_count_ratios import count_ratios
from rnn_jax.data.vocabulary import START, UNKNOWN
from rnn_jax.models.explanation import explain
from rnn_jax.models.functional import split
from rnn_jax.settings import to_flat, with_flat
from rnn_jax.tasks.text_classification import Settings
from rnn_jax.tasks.text_classifier import make_model

V, T = 30, 70
CONFIG = with_flat(
    Settings(),
    vocabulary_size=V,
    embedding_size=4,
    hidden_size=5,
    cell="gru",
    unroll="dynamic",
    pooling="mean",
)


@pytest.fixture
def tokens(rng):
    return np.array([START, *rng.integers(3, V, T - 1)], np.int32)


def make(config, rng):
    apply, init = split(lambda: make_model(config))
    return apply, jax.tree.map(lambda p: p + 0.2 * rng.normal(size=p.shape).astype(np.float32), init())


@pytest.mark.slow
def test_occlusion_is_one_word_at_a_time(tokens, rng):
    apply, params = make(CONFIG, rng)
    explained = explain(apply, params, tokens)

    def log_odds(tokens):
        return float(apply(params, tokens[None], np.array([T]))[0])

    assert explained.log_odds == pytest.approx(log_odds(tokens), abs=1e-5)
    for place in (1, 17, T - 1):
        without = tokens.copy()
        without[place] = UNKNOWN
        expected = log_odds(tokens) - log_odds(without)
        assert explained.occlusion[place] == pytest.approx(expected, abs=1e-5)
    assert explained.occlusion[0] == pytest.approx(0, abs=1e-6)  # the start has no word


def test_integrated_gradients_add_up(tokens, rng):
    """To what the words change, the paper's axiom of completeness."""
    apply, params = make(CONFIG, rng)
    explained = explain(apply, params, tokens)
    change = explained.log_odds - explained.log_odds_of_nothing
    assert abs(change) > 1e-2
    assert explained.gradients.sum() == pytest.approx(change, rel=1e-2, abs=1e-4)


def test_of_a_linear_model_both_are_what_each_word_adds(tokens, rng):
    """A bag: the contribution of a word is its vector, less that of an unknown word, by the head."""
    apply, params = make(with_flat(Settings(), network="bag", vocabulary_size=V, embedding_size=4), rng)
    explained = explain(apply, params, tokens)
    vectors = params["embedding"]["embedding"]
    expected = (vectors[tokens] - vectors[UNKNOWN]) @ params["head"]["kernel"][:, 0] / T
    expected = expected.at[0].set(0)
    np.testing.assert_allclose(explained.occlusion, expected, atol=1e-5)
    np.testing.assert_allclose(explained.gradients, expected, atol=1e-5)


def test_they_agree_where_words_hardly_touch_each_other(tokens, rng):
    apply, params = make(CONFIG, rng)
    explained = explain(apply, params, tokens)
    found = spearmanr(explained.occlusion[1:], explained.gradients[1:]).statistic
    assert found > 0.8
    assert explained.agreement() == pytest.approx(found)
    assert f"rank correlation with occlusion {found:.2f}" in explained.check()
    alone = explain(apply, params, tokens[:2])
    assert np.isnan(alone.agreement())


@pytest.mark.slow
def test_log_count_ratios_follow_the_words(tokens, rng):
    """A word that becomes unknown takes the ratios of its n-grams with it."""
    train = pack([rng.integers(3, V, 40).astype(np.int32) for _ in range(60)], rng.integers(0, 2, 60))
    ratios, _ = count_ratios(train, np.arange(60), 3, seed=0)
    config = with_flat(Settings(), **to_flat(CONFIG) | {"log_count_ratios": 3})
    apply, params = make(config, rng)
    explained = explain(apply, params, tokens, ratios)
    without = tokens.copy()
    without[9] = UNKNOWN
    rows = ratios.add_to(pack([tokens, without], np.zeros(2)))
    whole, occluded = apply(
        params, jnp.stack([tokens, without]), jnp.full(2, T), jnp.asarray(rows.ratios).reshape(2, T, -1)
    )
    assert explained.occlusion[9] == pytest.approx(float(whole - occluded), abs=1e-5)
    change = explained.log_odds - explained.log_odds_of_nothing
    assert explained.gradients.sum() == pytest.approx(change, rel=1e-2, abs=1e-3)
