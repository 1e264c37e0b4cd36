"""Drawing the next token: what temperature, top-k and top-p leave of a distribution."""

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from numpy.typing import NDArray

from rnn_jax.settings import Rule, at_least


@dataclass(frozen=True)
class SamplingSettings:
    """How tokens are drawn."""

    temperature: Annotated[float, Rule(lambda t: 0 < t < float("inf"), "must be above 0")] = 1.0
    """Log-odds are divided by it: below 1 likely tokens become likelier, above 1 less likely."""
    top_k: Annotated[int, at_least(0)] = 0
    """Draw from so many of the likeliest tokens only; 0: from all (A. Fan et al., 2018, arXiv:1805.04833)."""
    top_p: Annotated[float, Rule(lambda p: 0 < p <= 1, "must be above 0, and at most 1")] = 1.0
    """Of these, draw from the likeliest that make up this probability (A. Holtzman et al., 2020,
    arXiv:1904.09751)."""


USUAL = SamplingSettings()


def distribution(logits: NDArray[np.floating], settings: SamplingSettings = USUAL) -> NDArray[np.float64]:
    """The probabilities that are drawn from, `[V] -> [V]`; a token of log-odds -inf is excluded."""
    scaled = np.asarray(logits, np.float64) / settings.temperature
    order = np.argsort(-scaled, kind="stable")
    probabilities = np.exp(scaled[order] - scaled[order[0]])
    if settings.top_k:
        probabilities[settings.top_k :] = 0
    probabilities /= probabilities.sum()
    before = np.cumsum(probabilities) - probabilities  # of all that are likelier
    probabilities[before >= settings.top_p] = 0
    found = np.zeros_like(probabilities)
    found[order] = probabilities / probabilities.sum()
    return found
