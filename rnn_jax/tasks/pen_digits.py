"""Handwritten digits, point by point along the path of the pen."""

from dataclasses import dataclass

from rnn_jax.data.sources import pen_digits
from rnn_jax.data.sources.digits import LABELS
from rnn_jax.data.sources.pen_digits import POINTS, PenDigitSettings
from rnn_jax.data.vectors import VectorPreprocessor
from rnn_jax.tasks.vector_classifier import VectorSettings, make_recipe


@dataclass(frozen=True)
class Settings(VectorSettings):
    """The settings of a run."""

    data: PenDigitSettings = PenDigitSettings()


RECIPE = make_recipe(
    "pen_digits",
    Settings(),
    lambda settings, places: pen_digits.load(settings.data, places.data_dir),
    lambda settings: VectorPreprocessor(LABELS, 2, POINTS),
    unit="digits",
)
