"""A small run of every task, for the tests that all of them pass."""

from collections.abc import Callable
from typing import Any, NamedTuple

from rnn_jax.data import texts
from rnn_jax.settings import with_flat
from rnn_jax.tasks import TASKS, language_model, text_classification
from rnn_jax.tasks.language_model import streams_of
from rnn_jax.training.recipe import Data, Recipe
from tests.training.runs import CONFIG, make_data

TEXT = "".join(f"{i} men and {j} more went out. " for i in range(9) for j in range(11))[:2200]
STREAM = with_flat(
    language_model.Settings(), length=20, batch_size=16, embedding_size=4, hidden_size=5, epochs=2, tied=True
)


class Case(NamedTuple):
    """Settings of two epochs of a few steps, and the data for them."""

    recipe: Recipe
    settings: Any
    data: Callable[[], Data]


CASES = {
    "language_model": Case(
        TASKS["language_model"],
        STREAM,
        lambda: streams_of(STREAM, texts.cut(TEXT)),
    ),
    "text_classification": Case(
        TASKS["text_classification"],
        CONFIG,
        lambda: text_classification.data_of(CONFIG, make_data()),
    ),
}
