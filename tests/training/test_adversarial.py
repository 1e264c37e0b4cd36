import jax
import jax.numpy as jnp
import numpy as np
import pytest

from rnn_jax.data.batches import Batch, Sequences
from rnn_jax.data.examples import NO_LABEL
from rnn_jax.models.dropout import make_keys
from rnn_jax.models.embedding import SIGN
from rnn_jax.models.functional import split
from rnn_jax.settings import with_flat
from rnn_jax.tasks.labels import count
from rnn_jax.tasks.text_classification import Settings, make
from rnn_jax.tasks.text_classifier import bernoulli_divergence, make_model
from rnn_jax.training.adversarial import adversarial_gradients, worst_step

B, T, E = 4, 6, 5
CONFIG = with_flat(Settings(), vocabulary_size=30, embedding_size=E, hidden_size=7, cell="gru", dropout=0)


@pytest.fixture
def loss(rng):
    """The loss of a classifier on random reviews, `(params, step) -> (loss, (sums, log-odds))`."""
    apply, _ = split(lambda: make_model(CONFIG))
    tokens = jnp.asarray(rng.integers(1, 30, (B, T)))
    lengths, labels = jnp.array([6, 3, 0, 5]), jnp.array([1, 0, 1, 0])

    @jax.jit
    def of(params, perturbation):
        logits = apply(params, tokens, lengths, perturbation=perturbation)
        sums = count(logits, labels, jnp.ones(B))
        return sums["loss"].total / B, (sums, logits)

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
    of_words_as_they_are = loss(params, still)[1][0]["loss"]
    np.testing.assert_allclose(sums["loss"].total, of_words_as_they_are.total, rtol=1e-6)


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
def test_the_answers_change_most_along_the_gradient_of_the_logit(params, rng):
    """Which is why virtual adversarial training needs no power method here: no random step changes more."""
    apply, _ = split(lambda: make_model(CONFIG))
    tokens, lengths = jnp.asarray(rng.integers(1, 30, (B, T))), jnp.array([6, 3, 4, 5])

    @jax.jit
    def logits(step):
        return apply(params, tokens, lengths, perturbation=step)

    still = jnp.zeros((B, T, E))
    clean = logits(still)
    step = worst_step(jax.grad(lambda step: logits(step).sum())(still), 0.05)
    randoms = [worst_step(jnp.asarray(rng.normal(size=(B, T, E)), jnp.float32), 0.05) for _ in range(30)]
    for sign in (1, -1):
        found = bernoulli_divergence(clean, logits(sign * step))
        assert all((found > bernoulli_divergence(clean, logits(random))).all() for random in randoms)


def test_the_divergence_is_that_of_the_answers_at_the_step(params, rng):
    """A step of training minimises it beside the loss; only the moved answers have gradients."""
    settings = with_flat(CONFIG, virtual_adversarial=0.5, unlabelled=True)
    settings = with_flat(settings, word_dropout=0.0, embedding_dropout=0.0)
    task = make(settings)
    tokens = Sequences(jnp.asarray(rng.integers(1, 30, (B, T))), jnp.array([6, 3, 4, 5]))
    labels, weights = jnp.array([1, NO_LABEL, 0, NO_LABEL]), jnp.array([1.0, 1.0, 1.0, 0.0])
    batch = Batch({"tokens": tokens, "labels": labels}, weights, jnp.arange(B))
    keys = make_keys(jax.random.key(0), batch.rows)
    apply, _ = split(lambda: make_model(settings))

    def objective(params, *how):
        sums, beside = task.loss(params, batch, (), keys, *how)
        return sums["loss"].total / 2 + sums["divergence"].total / 3, (sums, beside)

    @jax.jit
    def by_hand(params):
        logits = lambda params, step: apply(params, *tokens, perturbation=step)  # noqa: E731
        still = jnp.zeros((B, T, E))
        draw = lambda key: jax.random.rademacher(jax.random.fold_in(key, SIGN), ())  # noqa: E731
        signs = jax.vmap(draw)(keys.examples) * jnp.array([-1, 1, 1, 1])  # a positive's loss falls with z
        step = worst_step(jax.grad(lambda r: logits(params, r).sum())(still), 0.5) * signs[:, None, None]
        clean = logits(params, still)
        moved = lambda p: (bernoulli_divergence(clean, logits(p, step)) * weights).sum() / 3  # noqa: E731
        loss = lambda p: count(logits(p, still), labels, weights)["loss"].total / 2  # noqa: E731
        return jax.value_and_grad(moved)(params), jax.grad(loss)(params)

    gradients, (sums, _) = jax.jit(lambda p: task.gradients(objective, p, batch))(params)
    assert sums["loss"].number == 2
    (divergence, of_divergence), of_loss = by_hand(params)
    assert float(sums["divergence"].number) == 3
    assert float(sums["divergence"].total) == pytest.approx(3 * float(divergence), rel=1e-4)
    expected = jax.tree.map(jnp.add, of_loss, of_divergence)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=1e-5), gradients, expected)
    largest = max(float(jnp.abs(each).max()) for each in jax.tree.leaves(of_divergence))
    assert largest > 1e-3  # far above the tolerance


def test_the_step_is_taken_under_another_draw_of_dropout(params, rng):
    """So that answers are not to change with dropout, either."""
    tokens = Sequences(jnp.asarray(rng.integers(1, 30, (B, T))), jnp.array([6, 3, 4, 5]))
    batch = Batch({"tokens": tokens, "labels": jnp.ones(B)}, jnp.ones(B), jnp.arange(B))
    keys, still = make_keys(jax.random.key(0), batch.rows), jnp.zeros((B, T, E))
    for rate in (0.0, 0.5):
        noise = {"dropout": rate, "word_dropout": 0.0, "embedding_dropout": 0.0}
        task = make(with_flat(CONFIG, virtual_adversarial=1.0, unlabelled=True, **noise))
        _, before = task.loss(params, batch, (), keys, still)
        sums, _ = task.loss(params, batch, (), keys, still, before)
        assert (float(sums["divergence"].total) > 1e-4) == (rate > 0)


def test_reviews_without_a_label_do_not_count():
    logits = jnp.array([2.0, -1.0, 3.0])
    some = count(logits, jnp.array([1, 0, -1]), jnp.ones(3))
    assert some["loss"].number == some["accuracy"].number == some["accuracy"].total == 2
    np.testing.assert_allclose(
        some["loss"].total, count(logits[:2], jnp.array([1, 0]), jnp.ones(2))["loss"].total, rtol=1e-6
    )
