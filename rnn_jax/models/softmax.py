"""The loss of the next token, over all tokens there are or over a sample of them."""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import optax

from rnn_jax.cells.cell import Array

LARGEST = 2**25  # log-odds that are held at once; more are made twice, once for the gradients


class Output(NamedTuple):
    """The output layer: the log-odds of token v are `kernel[v] · h + bias[v]`."""

    kernel: Array  # [V, E]
    bias: Array  # [V]


def softmax_losses(output: Output, hidden: Array, targets: Array) -> Array:
    """The cross-entropy of each target, in nats: `[N, E], [N] -> [N]`."""

    def losses(hidden: Array, targets: Array) -> Array:
        logits = hidden @ output.kernel.T + output.bias
        return optax.softmax_cross_entropy_with_integer_labels(logits, targets)

    return _in_parts(losses, len(output.bias), hidden, targets)


def sampled_softmax_losses(output: Output, hidden: Array, targets: Array, samples: Array) -> Array:
    """An estimate of the cross-entropy of each target from a few other tokens: `[N, E], [N], [K] -> [N]`.

    The sum of the softmax is taken over the target and K tokens drawn from a distribution q, each divided by
    how often it is expected among them:

        −log(eˢ⁽ᵗ⁾ / (eˢ⁽ᵗ⁾ + Σ_k eˢ⁽ᵏ⁾ / (K q(k)))),   k ≠ t

    so that the sum is right in expectation (Y. Bengio and J.-S. Senécal, "Adaptive Importance Sampling to
    Accelerate Training of a Neural Probabilistic Language Model", IEEE Transactions on Neural Networks 19,
    2008; S. Jean et al., 2015, arXiv:1412.2007). Variant: the target counts once, without a correction, and
    is left out of the sample. The loss is too small in expectation, as a logarithm is concave: it trains, and
    does not evaluate.

    Args:
        output: the output layer.
        hidden: what it reads.
        targets: the tokens that came.
        samples: drawn by `draw_log_uniform`, the same for all N.
    """
    size, count = len(output.bias), len(samples)
    expected = jnp.log(count) + log_uniform(samples, size)
    kernel, bias = output.kernel[samples], output.bias[samples] - expected

    def losses(hidden: Array, targets: Array) -> Array:
        own = (hidden * output.kernel[targets]).sum(axis=-1) + output.bias[targets]
        others = jnp.where(targets[:, None] == samples, -jnp.inf, hidden @ kernel.T + bias)
        return jnp.logaddexp(own, jax.nn.logsumexp(others, axis=-1)) - own

    return _in_parts(losses, count, hidden, targets)


def draw_log_uniform(key: Array, count: int, size: int) -> Array:
    """Draws tokens, with replacement, where frequent ones come first: `[count]`, from 0 to below `size`.

    Token v has the probability log((v + 2) / (v + 1)) / log(size + 1), about Zipf's law.
    """
    drawn = jnp.exp(jax.random.uniform(key, (count,), jnp.float32) * jnp.log(jnp.float32(size + 1))) - 1
    return jnp.clip(drawn.astype(jnp.int32), 0, size - 1)


def log_uniform(tokens: Array, size: int) -> Array:
    """The logarithm of the probability that `draw_log_uniform` gives tokens."""
    return jnp.log(jnp.log1p(1 / (tokens + 1.0)) / jnp.log(size + 1.0))


def _in_parts(losses: Callable[[Array, Array], Array], width: int, hidden: Array, targets: Array) -> Array:
    """Losses of rows with `width` log-odds each, of at most `LARGEST` at once."""
    count, rows = len(hidden), max(LARGEST // width, 1)
    if count <= rows:
        return losses(hidden, targets)
    short = -count % rows
    parts = (
        jnp.pad(hidden, [(0, short), (0, 0)]).reshape(-1, rows, hidden.shape[1]),
        jnp.pad(targets, [(0, short)]).reshape(-1, rows),
    )
    return jax.lax.map(lambda part: jax.checkpoint(losses)(*part), parts).reshape(-1)[:count]
