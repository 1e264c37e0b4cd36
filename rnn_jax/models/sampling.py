"""Drawing the next token: what temperature, top-k and top-p leave of a distribution."""

import numpy as np
from numpy.typing import NDArray

from rnn_jax.errors import UserError


def distribution(
    logits: NDArray[np.floating], temperature: float = 1.0, top_k: int = 0, top_p: float = 1.0
) -> NDArray[np.float64]:
    """The probabilities that are drawn from, `[V] -> [V]`.

    Args:
        logits: the log-odds of all tokens; -inf excludes one.
        temperature: they are divided by it: below 1 likely tokens become likelier.
        top_k: only so many of the likeliest tokens are left; 0: all (A. Fan et al., 2018, arXiv:1805.04833).
        top_p: of these, only the likeliest that make up this probability, at least one (A. Holtzman et al.,
            2020, arXiv:1904.09751).

    Raises:
        UserError: for values that make no sense, naming the option.
    """
    check(temperature, top_k, top_p)
    scaled = np.asarray(logits, np.float64) / temperature
    order = np.argsort(-scaled, kind="stable")
    probabilities = np.exp(scaled[order] - scaled[order[0]])
    if top_k:
        probabilities[top_k:] = 0
    probabilities /= probabilities.sum()
    before = np.cumsum(probabilities) - probabilities  # of all that are likelier
    probabilities[before >= top_p] = 0
    found = np.zeros_like(probabilities)
    found[order] = probabilities / probabilities.sum()
    return found


def check(temperature: float, top_k: int, top_p: float) -> None:
    """Raises UserError, naming the option, for values that make no sense."""
    if not 0 < temperature < float("inf"):
        raise UserError(f"--temperature {temperature}: must be above 0")
    if top_k < 0:
        raise UserError(f"--top-k {top_k}: must be 0 or more")
    if not 0 < top_p <= 1:
        raise UserError(f"--top-p {top_p}: must be above 0, and at most 1")
