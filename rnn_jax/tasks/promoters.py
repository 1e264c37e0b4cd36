"""Promoters, base by base, and which bases speak for one."""

from dataclasses import dataclass
from typing import Any, cast

import jax
import numpy as np
from numpy.typing import NDArray

from rnn_jax.cells.cell import Array
from rnn_jax.data.batches import Bucketed
from rnn_jax.data.sources import promoters
from rnn_jax.data.sources.promoters import BASES, LABELS, LENGTHS, PromoterSettings
from rnn_jax.data.vectors import VectorPreprocessor
from rnn_jax.models.functional import ModelParams
from rnn_jax.tasks.vector_classifier import VectorSettings, make_network, make_recipe
from rnn_jax.training.weights import Opened


@dataclass(frozen=True)
class Settings(VectorSettings):
    """The settings of a run."""

    data: PromoterSettings = PromoterSettings()


RECIPE = make_recipe(
    "promoters",
    Settings(),
    lambda settings, places: promoters.load(settings.data, places.data_dir),
    lambda settings: VectorPreprocessor(LABELS, len(BASES), LENGTHS.get(settings.data.dataset, 81)),
    unit="pieces",
)


def contributions(run: Opened, split: Bucketed) -> NDArray[np.float32]:
    """How much each base at each place adds to the log-odds of a promoter: `[T, 4]`, a mean over promoters.

    Of a piece, that of its own base against the mean of all four there, to first order:
    Σ_b g_tb (x_tb - x̄), of which g is the gradient of the log-odds.
    """
    known = cast("VectorPreprocessor", run.preprocessor)
    network = make_network(run.settings, known)
    total, number = np.zeros((len(split.columns["vectors"][0]), len(BASES))), 0

    @jax.jit
    def gradients(params: ModelParams, batch: Any) -> Array:
        def log_odds(values: Array) -> Array:
            vectors = batch.columns["vectors"]._replace(values=values)
            return network.logits(params, batch._replace(columns={"vectors": vectors})).sum()

        return jax.grad(log_odds)(batch.columns["vectors"].values)

    for plan in split.once():
        batch = split.batch(plan)
        found = np.asarray(gradients(run.params, batch))
        values = batch.columns["vectors"].values
        own = values == values.max(axis=-1, keepdims=True)
        centred = np.where(own, found - found.mean(axis=-1, keepdims=True), 0)
        promoters_there = (batch.columns["labels"] == 1) & (batch.weights > 0)
        total += centred[promoters_there].sum(axis=0)
        number += int(promoters_there.sum())
    return (total / max(number, 1) / known.deviation).astype(np.float32)
