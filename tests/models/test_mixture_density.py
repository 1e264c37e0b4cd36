"""Mixtures of Gaussians, against SciPy and against their own draws."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import logsumexp
from scipy.stats import multivariate_normal

from rnn_jax.models.mixture_density import PER_COMPONENT, Mixture

M = 3


@pytest.fixture
def mixture(rng):
    return Mixture.of(jnp.asarray(rng.normal(size=(4, M * PER_COMPONENT)), jnp.float32))


def test_the_density_is_that_of_its_gaussians(mixture, rng):
    points = rng.normal(size=(4, 2)).astype(np.float32)
    expected = []
    for row, point in enumerate(points):
        parts = []
        for m in range(M):
            sx, sy = np.exp(np.asarray(mixture.log_deviations[row, m], np.float64))
            rho = float(mixture.correlations[row, m])
            covariance = [[sx**2, rho * sx * sy], [rho * sx * sy, sy**2]]
            own = multivariate_normal(np.asarray(mixture.means[row, m]), covariance).logpdf(point)
            parts.append(float(mixture.log_weights[row, m]) + own)
        expected.append(logsumexp(parts))
    np.testing.assert_allclose(mixture.log_density(points), expected, rtol=2e-5)


def test_all_places_together_have_probability_one(mixture):
    side = np.linspace(-40, 40, 1601)
    grid = np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 1, 2)
    one = jax.tree.map(lambda leaf: leaf[:1], mixture)
    total = np.exp(np.asarray(one.log_density(jnp.asarray(grid, jnp.float32)), np.float64)).sum()
    assert total * (side[1] - side[0]) ** 2 == pytest.approx(1, abs=2e-3)


def test_draws_are_from_the_density(mixture):
    """Means and covariances of many are those of the mixture."""
    one = jax.tree.map(lambda leaf: jnp.broadcast_to(leaf[0], (200_000, *leaf.shape[1:])), mixture)
    drawn = np.asarray(one.draw(jax.random.key(0)), np.float64)
    weights = np.exp(np.asarray(mixture.log_weights[0], np.float64))
    means = np.asarray(mixture.means[0], np.float64)
    mean = weights @ means
    covariance = np.zeros((2, 2))
    for weight, own, logs, rho in zip(
        weights,
        means,
        np.asarray(mixture.log_deviations[0]),
        np.asarray(mixture.correlations[0]),
        strict=True,
    ):
        sx, sy = np.exp(logs)
        within = np.array([[sx**2, rho * sx * sy], [rho * sx * sy, sy**2]])
        covariance += weight * (within + np.outer(own - mean, own - mean))
    np.testing.assert_allclose(drawn.mean(axis=0), mean, atol=0.03)
    np.testing.assert_allclose(np.cov(drawn.T), covariance, rtol=0.05, atol=0.03)


def test_a_bias_makes_likely_points_likelier(mixture):
    weights = np.exp(np.asarray(mixture.log_weights))
    neat = mixture.sharper(1.0)
    squares = weights**2
    np.testing.assert_allclose(
        np.exp(np.asarray(neat.log_weights)), squares / squares.sum(axis=-1, keepdims=True), rtol=1e-5
    )
    np.testing.assert_allclose(neat.log_deviations, mixture.log_deviations - 1)
    np.testing.assert_allclose(mixture.sharper(0.0).log_weights, mixture.log_weights, atol=1e-6)


def test_no_gaussian_becomes_a_line():
    outputs = jnp.full((1, PER_COMPONENT), 50.0).at[:, 3:5].set(0.0)
    mixture = Mixture.of(outputs)
    assert np.isfinite(mixture.log_density(jnp.array([[3.0, -3.0]]))).all()
    gradient = jax.grad(lambda o: Mixture.of(o).log_density(jnp.array([[3.0, -3.0]])).sum())(outputs)
    assert np.isfinite(gradient).all()
