"""The loss of the next token: in full against Optax, from a sample against what it estimates."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from rnn_jax.models import softmax
from rnn_jax.models.softmax import (
    Output,
    draw_log_uniform,
    log_sum_exp,
    log_uniform,
    sampled_softmax_losses,
    softmax_losses,
)

V, E, N = 40, 6, 7


@pytest.fixture
def output(rng):
    return Output(*(jnp.asarray(rng.normal(size=shape), jnp.float32) for shape in ((V, E), (V,))))


@pytest.fixture
def hidden(rng):
    return jnp.asarray(rng.normal(size=(N, E)), jnp.float32)


@pytest.fixture
def targets(rng):
    return jnp.asarray(rng.integers(0, V, N), jnp.int32)


def whole(output, hidden, targets):
    logits = hidden @ output.kernel.T + output.bias
    return optax.softmax_cross_entropy_with_integer_labels(logits, targets)


@pytest.mark.parametrize("rows", [N, 3, 1])
def test_in_parts_it_is_the_whole(rows, output, hidden, targets, monkeypatch):
    """Values and gradients, with rows that do not fill the last part, and with a row a part."""
    monkeypatch.setattr(softmax, "ROWS", rows)

    @jax.jit
    def both(output, hidden):
        mine = jax.grad(lambda o, h: softmax_losses(o, h, targets).sum(), argnums=(0, 1))
        theirs = jax.grad(lambda o, h: whole(o, h, targets).sum(), argnums=(0, 1))
        values = softmax_losses(output, hidden, targets), whole(output, hidden, targets)
        return values, (mine(output, hidden), theirs(output, hidden))

    values, gradients = both(output, hidden)
    np.testing.assert_allclose(*values, rtol=1e-5)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=1e-5), *gradients)


@pytest.mark.parametrize("rows", [3, 1])
def test_a_sampled_softmax_in_parts_is_the_whole(rows, output, hidden, targets, monkeypatch):
    """In every part, the targets of its own rows are left out of the sample."""
    samples = jnp.concatenate([targets[:4], jnp.arange(5)])
    loss = jax.value_and_grad(
        lambda o, h: sampled_softmax_losses(o, h, targets, samples).sum(), argnums=(0, 1)
    )
    whole = jax.jit(loss)(output, hidden)
    monkeypatch.setattr(softmax, "ROWS", rows)
    in_parts = jax.jit(lambda o, h: loss(o, h))(output, hidden)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=1e-5), in_parts, whole)


def test_the_gradients_have_the_precision_of_the_loss(output, hidden):
    """They are made after the setting of the loss has ended; JAX calls bfloat16 DEFAULT."""

    def loss(output, hidden):
        with jax.default_matmul_precision("bfloat16"):
            return log_sum_exp(output, hidden).sum()

    program = str(jax.make_jaxpr(jax.grad(loss, argnums=(0, 1)))(output, hidden))
    assert program.count("dot_general[") == program.count("(Precision.DEFAULT, Precision.DEFAULT)") == 4


def test_a_sum_over_some_tokens_is_that_of_jax(output, hidden, rng):
    """Values and gradients by hand against JAX's, also where all tokens, one, or none are among them."""
    among = jnp.asarray(rng.random((N, V)) < 0.5).at[0].set(True).at[1].set(False).at[1, 3].set(True)

    def theirs(output, hidden, among):
        return jax.nn.logsumexp(hidden @ output.kernel.T + output.bias, axis=-1, where=among)

    weights = jnp.asarray(rng.normal(size=N), jnp.float32)
    results = [
        jax.jit(jax.value_and_grad(lambda o, h, f=f: (f(o, h, among) * weights).sum(), argnums=(0, 1)))(
            output, hidden
        )
        for f in (log_sum_exp, theirs)
    ]
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=1e-5), *results)
    nothing = jnp.zeros((N, V), bool)
    assert (log_sum_exp(output, hidden, nothing) == -jnp.inf).all()
    gradient = jax.grad(lambda h: log_sum_exp(output, h, nothing).sum())(hidden)
    np.testing.assert_array_equal(gradient, 0)


def test_tokens_are_drawn_as_it_says():
    probabilities = np.exp(log_uniform(jnp.arange(V), V))
    assert probabilities.sum() == pytest.approx(1, rel=1e-5)
    drawn = draw_log_uniform(jax.random.key(0), 200_000, V)
    counts = np.bincount(drawn, minlength=V) / len(drawn)
    np.testing.assert_allclose(counts, probabilities, atol=4 * np.sqrt(probabilities.max() / len(drawn)))


def test_the_sum_of_the_softmax_is_right_in_expectation(output, hidden, targets):
    """exp(loss + s(t)) is the sum; its mean over many samples of three tokens is that over all tokens."""
    own = (hidden * output.kernel[targets]).sum(axis=-1) + output.bias[targets]

    @jax.jit
    def sums(key):
        samples = draw_log_uniform(key, 3, V)
        return jnp.exp(sampled_softmax_losses(output, hidden, targets, samples) + own)

    found = jax.lax.map(sums, jax.random.split(jax.random.key(1), 20_000))
    exact = np.exp(whole(output, hidden, targets) + own)
    error = found.std(axis=0) / np.sqrt(len(found))
    assert (np.abs(found.mean(axis=0) - exact) < 5 * error).all()
    assert (error < 0.05 * exact).all()  # else the test could not fail


def test_many_samples_are_the_whole(output, hidden, targets):
    samples = draw_log_uniform(jax.random.key(2), 400_000, V)
    mine, theirs = (
        jax.jit(jax.value_and_grad(lambda o, h, f=f: f(o, h).sum(), argnums=(0, 1)))(output, hidden)
        for f in (
            lambda o, h: sampled_softmax_losses(o, h, targets, samples),
            lambda o, h: whole(o, h, targets),
        )
    )
    assert float(mine[0]) == pytest.approx(float(theirs[0]), rel=0.01)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=0.05), mine[1], theirs[1])


def test_a_target_among_the_samples_counts_once(output, hidden):
    """With the target alone in the sample, nothing is left to be lost."""
    losses = sampled_softmax_losses(output, hidden, jnp.full(N, 3), jnp.full(5, 3))
    np.testing.assert_allclose(losses, 0, atol=1e-6)
