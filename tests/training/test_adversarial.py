import jax
import jax.numpy as jnp
import numpy as np
import pytest

from rnn_jax.models.functional import split
from rnn_jax.settings import with_flat
from rnn_jax.tasks.text_classification import Settings, bernoulli_divergence, count, make_model
from rnn_jax.training.adversarial import adversarial_gradients, virtual_step, worst_step

B, T, E = 4, 6, 5
CONFIG = with_flat(Settings(), vocabulary_size=30, embedding_size=E, hidden_size=7, cell="gru", dropout=0)


@pytest.fixture
def loss(rng):
    """The loss of a classifier on random reviews, `(params, perturbation) -> (loss, sums)`."""
    apply, _ = split(lambda: make_model(CONFIG))
    tokens = jnp.asarray(rng.integers(1, 30, (B, T)))
    lengths, labels = jnp.array([6, 3, 0, 5]), jnp.array([1, 0, 1, 0])

    @jax.jit
    def of(params, perturbation):
        logits = apply(params, tokens, lengths, perturbation=perturbation)
        sums = count(logits, labels, jnp.ones(B))
        return sums["loss"].total / B, sums

    return of


@pytest.fixture
def params(rng):
    _, init = split(lambda: make_model(CONFIG))
    return jax.tree.map(lambda p: p + 0.3 * rng.normal(size=p.shape).astype(np.float32), init())


def test_the_step_has_its_length_and_the_direction_of_the_gradient(rng):
    gradient = rng.normal(size=(3, T, E)).astype(np.float32)
    gradient[1] = 0
    step = worst_step(jnp.asarray(gradient), 2.5)
    for row in (0, 2):
        np.testing.assert_allclose(
            step[row], 2.5 * gradient[row] / np.linalg.norm(gradient[row].ravel()), rtol=1e-5
        )
    assert (step[1] == 0).all()


@pytest.mark.slow
def test_it_hurts_more_than_any_random_step_of_its_length(loss, params, rng):
    still = jnp.zeros((B, T, E))
    step = worst_step(jax.grad(lambda r: loss(params, r)[0])(still), 0.3)
    worst = loss(params, step)[0]
    randoms = [worst_step(jnp.asarray(rng.normal(size=(B, T, E)), jnp.float32), 0.3) for _ in range(30)]
    assert worst > max(loss(params, random)[0] for random in randoms)
    assert worst > loss(params, still)[0] + 0.01


@pytest.mark.slow
def test_gradients_are_those_of_both_losses_with_the_step_held_fixed(loss, params):
    still = jnp.zeros((B, T, E))
    gradients, sums = jax.jit(lambda p: adversarial_gradients(loss, p, still, 0.5))(params)
    step = worst_step(jax.grad(lambda r: loss(params, r)[0])(still), 0.5)
    expected = jax.grad(lambda p: loss(p, still)[0] + loss(p, step)[0])(params)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=1e-5), gradients, expected)
    np.testing.assert_allclose(
        sums["loss"].total, loss(params, still)[1]["loss"].total, rtol=1e-6
    )  # of the words as they are


def test_longer_word_vectors_do_not_escape_it(loss, params):
    """The step is measured in units of the word vectors."""
    still = jnp.zeros((B, T, E))
    step = worst_step(jax.grad(lambda r: loss(params, r)[0])(still), 0.5)

    def moved(scale):
        vectors = params["embedding"]["embedding"] * scale
        layer = params["layers"]["recurrent"]["layers"][0]
        layer = layer | {"input_kernel": layer["input_kernel"] / scale}
        layers = {"recurrent": {"layers": {0: layer}}}
        return params | {"embedding": {"embedding": vectors}, "layers": layers}

    np.testing.assert_allclose(loss(moved(10.0), step)[0], loss(params, step)[0], rtol=1e-4)


def test_the_divergence_is_that_of_two_labels(rng):
    p, q = (rng.normal(size=9) * 3 for _ in range(2))
    a, b = (1 / (1 + np.exp(-x)) for x in (p, q))
    expected = a * np.log(a / b) + (1 - a) * np.log((1 - a) / (1 - b))
    np.testing.assert_allclose(bernoulli_divergence(jnp.asarray(p), jnp.asarray(q)), expected, atol=1e-5)
    assert (bernoulli_divergence(jnp.array([-200.0, 200.0]), jnp.array([-200.0, 200.0])) == 0).all()


@pytest.mark.slow
def test_the_virtual_step_changes_the_answers_more_than_any_random_one(params, rng):
    """Without a label; each row is moved by the radius."""
    apply, _ = split(lambda: make_model(CONFIG))
    tokens, lengths = jnp.asarray(rng.integers(1, 30, (B, T))), jnp.array([6, 3, 4, 5])
    clean = apply(params, tokens, lengths)

    @jax.jit
    def divergence(step):
        return bernoulli_divergence(clean, apply(params, tokens, lengths, perturbation=step)).sum()

    start = jnp.asarray(rng.normal(size=(B, T, E)), jnp.float32)
    step = virtual_step(divergence, start, 0.3)
    np.testing.assert_allclose(np.sqrt((step**2).sum(axis=(1, 2))), 0.3, rtol=1e-5)
    randoms = [worst_step(jnp.asarray(rng.normal(size=(B, T, E)), jnp.float32), 0.3) for _ in range(30)]
    assert divergence(step) > max(divergence(random) for random in randoms)


def test_reviews_without_a_label_do_not_count():
    logits = jnp.array([2.0, -1.0, 3.0])
    some = count(logits, jnp.array([1, 0, -1]), jnp.ones(3))
    assert some["loss"].number == some["accuracy"].number == some["accuracy"].total == 2
    np.testing.assert_allclose(
        some["loss"].total, count(logits[:2], jnp.array([1, 0]), jnp.ones(2))["loss"].total, rtol=1e-6
    )
