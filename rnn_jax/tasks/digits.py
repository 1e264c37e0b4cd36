"""Handwritten digits, read row by row or pixel by pixel."""

from dataclasses import dataclass

from rnn_jax.data.sources import digits
from rnn_jax.data.sources.digits import DigitSettings
from rnn_jax.data.vectors import VectorPreprocessor
from rnn_jax.tasks.vector_classifier import VectorSettings, make_recipe


@dataclass(frozen=True)
class Settings(VectorSettings):
    """The settings of a run."""

    data: DigitSettings = DigitSettings()


def largest(settings: Settings) -> VectorPreprocessor:
    """What stands in for MNIST."""
    size = digits.SIZES["mnist"]
    time, features = (size, size) if settings.data.order == "rows" else (size * size, 1)
    return VectorPreprocessor(digits.LABELS, features, time)


RECIPE = make_recipe(
    "digits",
    Settings(),
    lambda settings, places: digits.load(settings.data, places.data_dir),
    largest,
    unit="digits",
)
