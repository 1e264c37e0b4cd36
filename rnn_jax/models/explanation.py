"""Which words moved a decision, by two methods that know nothing of each other.

Occlusion: how the log-odds change when a word becomes unknown, one word at a time. Integrated gradients
(M. Sundararajan, A. Taly and Q. Yan, "Axiomatic Attribution for Deep Networks", ICML 2017, equation 1): from
vectors x' that say nothing to the vectors x of the review,

    a_t = (x_t - x'_t) · ∫₀¹ ∂ log-odds / ∂ x_t at x' + α (x - x') dα

so that Σ a_t is the change of the log-odds from x' to x. What says nothing is a review as long, of unknown
words alone.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from rnn_jax.cells.cell import Array
from rnn_jax.data.examples import pack
from rnn_jax.data.log_count_ratios import LogCountRatios
from rnn_jax.data.vocabulary import START, UNKNOWN
from rnn_jax.models.functional import Apply, ModelParams

STEPS = 64  # of the integral
ROWS = 64  # at once


class Explanation(NamedTuple):
    """What T tokens contribute to the log-odds of a label, positive for film reviews."""

    log_odds: float
    log_odds_of_nothing: float  # of unknown words alone
    occlusion: NDArray[np.float32]  # [T], what a token adds by being known
    gradients: NDArray[np.float32]  # [T], adding up to log_odds - log_odds_of_nothing

    def agreement(self) -> float:
        """Spearman's rank correlation of both methods over the words, from -1 to 1; NaN if there is none."""
        from scipy.stats import spearmanr  # here, since it takes long to load

        scores = self.occlusion[1:], self.gradients[1:]
        if any(len(np.unique(score)) < 2 for score in scores):
            return float("nan")
        return float(spearmanr(*scores).statistic)

    def check(self) -> str:
        """How far both methods can be trusted, in a line: the axiom of completeness, and their agreement."""
        change = self.log_odds - self.log_odds_of_nothing
        return (
            f"integrated gradients add up to {self.gradients.sum():+.3f}, and should to {change:+.3f}; "
            f"rank correlation with occlusion {self.agreement():.2f}"
        )


def explain(
    apply: Apply,
    params: ModelParams,
    tokens: NDArray[np.int32],
    ratios: LogCountRatios | None = None,
    label: int = 1,
) -> Explanation:
    """Explains the answer to one review.

    Args:
        apply: the classifier as a function of its parameters.
        params: the parameters.
        tokens: what the network reads, `[T]`.
        ratios: the log-count ratios, for a network that reads them.
        label: whose log-odds; of two, those of the second are explained in any case.
    """
    nothing = np.where(tokens == START, START, UNKNOWN).astype(np.int32)
    without = np.where(np.eye(len(tokens), dtype=bool), nothing, tokens)  # [T, T], a row a token
    length = len(tokens)

    @jax.jit
    def embed(rows: Array, ratios: Array) -> Array:
        return apply(params, rows, jnp.full(len(rows), length), ratios, method="embed")

    @jax.jit
    def logits(inputs: Array) -> Array:
        found = apply(params, inputs, jnp.full(len(inputs), length), method="logits")
        return found if found.ndim == 1 else log_odds_of(found, label)

    def inputs_of(rows: NDArray[np.int32]) -> Array:
        return embed(rows, ratios_of(rows, ratios))

    inputs = inputs_of(np.stack([tokens, nothing]))
    log_odds, of_nothing = map(float, logits(inputs))
    occlusion = np.zeros(length, np.float32)
    for start in range(0, length, ROWS):
        chosen = np.arange(start, start + ROWS) % length  # of one shape; what comes round again is the same
        occlusion[chosen] = log_odds - logits(inputs_of(without[chosen]))

    @jax.jit
    def integrate(review: Array, nothing: Array) -> Array:
        def gradient(share: Array) -> Array:
            return jax.grad(lambda x: logits(x[None])[0])(nothing + share * (review - nothing))

        shares = (jnp.arange(STEPS) + 0.5) / STEPS
        return ((review - nothing) * jax.lax.map(gradient, shares).mean(axis=0)).sum(axis=-1)

    return Explanation(log_odds, of_nothing, occlusion, np.asarray(integrate(*inputs)))


def log_odds_of(logits: Array, label: int) -> Array:
    """Log p / (1 - p) of one of K labels, from logits: `[N, K] -> [N]`."""
    others = jnp.where(jnp.arange(logits.shape[-1]) == label, -jnp.inf, logits)
    return logits[:, label] - jax.nn.logsumexp(others, axis=-1)


def ratios_of(rows: NDArray[np.int32], ratios: LogCountRatios | None) -> NDArray[np.float32]:
    """The ratios of rows `[N, T]` of tokens: `[N, T, n]`."""
    if ratios is None:
        return np.zeros((*rows.shape, 0), np.float32)
    found = ratios.add_to(pack(list(rows), np.zeros(len(rows), np.int8))).ratios
    assert found is not None
    return found.reshape(*rows.shape, -1)
