"""The loss of the next token, over all tokens there are or over a sample of them."""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from rnn_jax.cells.cell import Array, product_precision

ROWS = 2048  # whose log-odds are held at once; of a sample of tokens, these fit into a processor's cache


class Output(NamedTuple):
    """The output layer: the log-odds of token v are `kernel[v] · h + bias[v]`."""

    kernel: Array  # [V, E]
    bias: Array  # [V]


def softmax_losses(output: Output, hidden: Array, targets: Array) -> Array:
    """The cross-entropy of each target, in nats: `[N, E], [N] -> [N]`."""

    def losses(hidden: Array, targets: Array) -> Array:
        return log_sum_exp(output, hidden) - _log_odds(output, hidden, targets)

    return _in_parts(losses, hidden, targets)


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
    sampled = Output(output.kernel[samples], output.bias[samples] - expected)

    def losses(hidden: Array, targets: Array) -> Array:
        own = _log_odds(output, hidden, targets)
        others = log_sum_exp(sampled, hidden, targets[:, None] != samples)
        return jnp.logaddexp(own, others) - own

    return _in_parts(losses, hidden, targets)


def _log_odds(output: Output, hidden: Array, tokens: Array) -> Array:
    """Of one token each: `[N, E], [N] -> [N]`."""
    return (hidden * output.kernel[tokens]).sum(axis=-1) + output.bias[tokens]


def log_sum_exp(output: Output, hidden: Array, among: Array | None = None) -> Array:
    """Log Σ_v exp(kernel[v] · h + bias[v]), `[N, E] -> [N]`; over those v alone that are `among [N, V]`.

    With w_v = exp(logit_v − max) and their sum s, the gradient of the logits is g w / s. Here the rows of
    what w is multiplied by are scaled, instead of w itself:

        ∂h = (w K) g / s,   ∂K = wᵀ (h g / s),   ∂b = (g / s) w

    The largest array, `[N, V]`, is written once, and then only read by matrix products; what JAX derives
    makes several more passes over it.
    """
    return _log_sum_exp(product_precision(), output, hidden, among)


@partial(jax.custom_vjp, nondiff_argnums=(0,))
def _log_sum_exp(precision: str | None, output: Output, hidden: Array, among: Array | None) -> Array:
    return _log_sum_exp_forward(precision, output, hidden, among)[0]


def _log_sum_exp_forward(
    precision: str | None, output: Output, hidden: Array, among: Array | None
) -> tuple[Array, Any]:
    with jax.default_matmul_precision(precision):
        logits = hidden @ output.kernel.T + output.bias
    largest = logits.max(axis=-1, keepdims=True)
    weights = jnp.exp(logits - largest)
    if among is not None:
        weights = jnp.where(among, weights, 0)
    total = weights.sum(axis=-1)
    return jnp.log(total) + largest[:, 0], (output, hidden, weights, total)


def _log_sum_exp_backward(precision: str | None, kept: Any, gradient: Array) -> tuple[Output, Array, None]:
    output, hidden, weights, total = kept
    scale = jnp.where(total > 0, gradient / total, 0)  # there may be none among them
    with jax.default_matmul_precision(precision):
        d_hidden = (weights @ output.kernel) * scale[:, None]
        d_kernel = weights.T @ (hidden * scale[:, None])
        d_bias = scale @ weights
    return Output(d_kernel, d_bias), d_hidden, None


_log_sum_exp.defvjp(_log_sum_exp_forward, _log_sum_exp_backward)


def draw_log_uniform(key: Array, count: int, size: int) -> Array:
    """Draws tokens, with replacement, where frequent ones come first: `[count]`, from 0 to below `size`.

    Token v has the probability log((v + 2) / (v + 1)) / log(size + 1), about Zipf's law.
    """
    drawn = jnp.exp(jax.random.uniform(key, (count,), jnp.float32) * jnp.log(jnp.float32(size + 1))) - 1
    return jnp.clip(drawn.astype(jnp.int32), 0, size - 1)


def log_uniform(tokens: Array, size: int) -> Array:
    """The logarithm of the probability that `draw_log_uniform` gives tokens."""
    return jnp.log(jnp.log1p(1 / (tokens + 1.0)) / jnp.log(size + 1.0))


def _in_parts(losses: Callable[[Array, Array], Array], hidden: Array, targets: Array) -> Array:
    """Losses of at most `ROWS` rows at once; where there are more, they are made twice, to be differentiated.

    On a CPU, a sampled softmax is still faster so: its log-odds do not go to memory and back.
    """
    parts = -(-len(hidden) // ROWS)
    if parts <= 1:
        return losses(hidden, targets)
    rows = -(-len(hidden) // parts)
    short = parts * rows - len(hidden)
    cut = (
        jnp.pad(hidden, [(0, short), (0, 0)]).reshape(parts, rows, -1),
        jnp.pad(targets, [(0, short)]).reshape(parts, rows),
    )
    return jax.lax.map(lambda part: jax.checkpoint(losses)(*part), cut).reshape(-1)[: len(hidden)]
