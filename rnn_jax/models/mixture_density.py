"""Mixtures of bivariate Gaussians, as a network outputs them: where a pen may go."""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from rnn_jax.cells.cell import Array

PER_COMPONENT = 6  # outputs
CORRELATION = 0.99  # is less than this, so that no component becomes a line


class Mixture(NamedTuple):
    """M Gaussians over the plane, at each of some places.

        p(x, y) = Σ_m π_m N(x, y; μ_m, σ_m, ρ_m)

    C. Bishop, "Mixture Density Networks", 1994; of points of a pen: A. Graves, "Generating Sequences With
    Recurrent Neural Networks", 2013, arXiv:1308.0850, section 4.1. Variant: ρ = 0.99 tanh of an output.
    """

    log_weights: Array  # [..., M], log π
    means: Array  # [..., M, 2]
    log_deviations: Array  # [..., M, 2], log σ
    correlations: Array  # [..., M], ρ

    @classmethod
    def of(cls, outputs: Array) -> "Mixture":
        """From what a network outputs, `[..., 6 M]`."""
        parts = outputs.reshape(*outputs.shape[:-1], -1, PER_COMPONENT)
        return cls(
            jax.nn.log_softmax(parts[..., 0], axis=-1),
            parts[..., 1:3],
            parts[..., 3:5],
            CORRELATION * jnp.tanh(parts[..., 5]),
        )

    def log_density(self, points: Array) -> Array:
        """Of points `[..., 2]`, in nats: `[...]`."""
        x, y = jnp.moveaxis((points[..., None, :] - self.means) * jnp.exp(-self.log_deviations), -1, 0)
        rest = 1 - self.correlations**2
        distance = (x**2 + y**2 - 2 * self.correlations * x * y) / rest
        area = jnp.log(2 * jnp.pi) + self.log_deviations.sum(axis=-1) + jnp.log(rest) / 2
        return jax.nn.logsumexp(self.log_weights - distance / 2 - area, axis=-1)

    def sharper(self, bias: float) -> "Mixture":
        """Nearer to the likeliest points: σ exp(-b), and π to the power of 1 + b (section 5.4).

        What the pen does is no part of the mixture, and stays as likely as it was.
        """
        weights = jax.nn.log_softmax(self.log_weights * (1 + bias), axis=-1)
        return self._replace(log_weights=weights, log_deviations=self.log_deviations - bias)

    def draw(self, key: Array) -> Array:
        """A point at each place: `[..., 2]`."""
        first, second = jax.random.split(key)
        chosen = jax.random.categorical(first, self.log_weights)[..., None]
        take = lambda values: jnp.take_along_axis(values, chosen, axis=-1)[..., 0]  # noqa: E731
        means, deviations = (
            jnp.stack([take(each[..., axis]) for axis in range(2)], axis=-1)
            for each in (self.means, jnp.exp(self.log_deviations))
        )
        one, other = jnp.moveaxis(jax.random.normal(second, means.shape), -1, 0)
        correlation = take(self.correlations)
        other = correlation * one + jnp.sqrt(1 - correlation**2) * other
        return means + deviations * jnp.stack([one, other], axis=-1)
