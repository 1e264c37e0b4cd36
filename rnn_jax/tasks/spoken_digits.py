"""Spoken digits, frame by frame."""

from dataclasses import dataclass

from rnn_jax.data.sources import spoken_digits
from rnn_jax.data.sources.digits import LABELS
from rnn_jax.data.sources.sounds import BANDS
from rnn_jax.data.sources.spoken_digits import SpokenDigitSettings
from rnn_jax.data.vectors import VectorPreprocessor
from rnn_jax.tasks.vector_classifier import VectorSettings, make_recipe

LONGEST = 227  # frames


@dataclass(frozen=True)
class Settings(VectorSettings):
    """The settings of a run."""

    data: SpokenDigitSettings = SpokenDigitSettings()


RECIPE = make_recipe(
    "spoken_digits",
    Settings(),
    lambda settings, places: spoken_digits.load(settings.data, places.data_dir),
    lambda settings: VectorPreprocessor(LABELS, BANDS, LONGEST),
    unit="recordings",
)
