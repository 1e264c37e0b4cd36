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


@pytest.mark.parametrize("largest", [2**25, 3 * V, 1])
def test_in_parts_it_is_the_whole(largest, output, hidden, targets, monkeypatch):
    """Values and gradients, with rows that do not fill the last part, and with a row a part."""
    monkeypatch.setattr(softmax, "LARGEST", largest)

    @jax.jit
    def both(output, hidden):
        mine = jax.grad(lambda o, h: softmax_losses(o, h, targets).sum(), argnums=(0, 1))
        theirs = jax.grad(lambda o, h: whole(o, h, targets).sum(), argnums=(0, 1))
        values = softmax_losses(output, hidden, targets), whole(output, hidden, targets)
        return values, (mine(output, hidden), theirs(output, hidden))

    values, gradients = both(output, hidden)
    np.testing.assert_allclose(*values, rtol=1e-5)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=1e-5), *gradients)


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
