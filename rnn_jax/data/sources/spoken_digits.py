"""Spoken digits: recordings of 0 to 9 in English, as frames of a spectrum.

The Free Spoken Digit Dataset (Z. Jackson, 2016), 1.0.9: 2,500 recordings at 8 kHz, fifty of each digit by
each of five speakers, CC BY-SA 4.0. Its authors test on the recordings 0 to 4 of each.
"""

from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rnn_jax.data.prepared import data_directory, is_prepared, read_examples
from rnn_jax.data.sources.digits import LABELS
from rnn_jax.data.sources.sounds import RATE, log_mel
from rnn_jax.data.vectors import LabelledVectors, Vectors

FOLDER = "spoken_digit/1.0.9"
SPEAKERS = ("george", "jackson", "nicolas", "theo", "yweweler")
TESTED, VALIDATED = range(5), range(5, 10)  # numbers of recordings
SCALE = 2**15  # of the samples
SEED = 2016  # of the made-up recordings


@dataclass(frozen=True)
class SpokenDigitSettings:
    """Which recordings."""

    dataset: Literal["auto", "spoken_digit", "synthetic"] = "auto"
    """spoken_digit, or synthetic: made-up recordings, three tones for each digit; auto: spoken_digit where it
    is prepared."""
    held_out: Literal["none", "george", "jackson", "nicolas", "theo", "yweweler"] = "none"
    """Test on all recordings of this speaker, and learn from those of the others; by default, test on the
    recordings 0 to 4 of each digit by each speaker."""


class Recording(NamedTuple):
    """A digit that somebody has said."""

    sound: NDArray[np.float32]  # [N], from -1 to 1, at `RATE`
    label: int
    speaker: str
    number: int  # among those of this digit by this speaker


def load(settings: SpokenDigitSettings, data_dir: str | None = None) -> LabelledVectors:
    """The recordings; numbers 5 to 9 of each digit by each speaker are for validation.

    Raises:
        UserError: if they are not at hand.
    """
    name = settings.dataset
    if name == "auto":
        name = "spoken_digit" if is_prepared(data_directory(data_dir) / FOLDER) else "synthetic"
    recordings = read(data_dir) if name == "spoken_digit" else synthetic()
    held = settings.held_out

    def tested(each: Recording) -> bool:
        return each.number in TESTED if held == "none" else each.speaker == held

    def part(chosen: list[Recording]) -> Vectors:
        return Vectors([log_mel(each.sound) for each in chosen], np.array([each.label for each in chosen]))

    learnt = [each for each in recordings if not tested(each)]
    return LabelledVectors(
        name,
        LABELS,
        part([each for each in learnt if each.number not in VALIDATED]),
        part([each for each in learnt if each.number in VALIDATED]),
        part([each for each in recordings if tested(each)]),
    )


def read(data_dir: str | None = None) -> list[Recording]:
    """All recordings, by name; `digit_speaker_number.wav` says what each is."""
    found = []
    for example in read_examples(data_directory(data_dir) / FOLDER, "train"):
        name = example["audio/filename"].decode()
        digit, speaker, number = name.removesuffix(".wav").split("_")
        sound = (example["audio"] / SCALE).astype(np.float32)
        found.append(Recording(sound, int(digit), speaker, int(number)))
    return sorted(found, key=lambda each: (each.label, each.speaker, each.number))


def synthetic(count: int = 15) -> list[Recording]:
    """Made-up recordings: each digit is three tones in a row, higher or lower by speaker, in noise."""
    rng = np.random.default_rng(SEED)
    tones = 400 * 2 ** (rng.integers(0, 24, (len(LABELS), 3)) / 10)  # Hz
    found = []
    for label, own in enumerate(tones):
        for place, speaker in enumerate(SPEAKERS):
            for number in range(count):
                pitch = 2 ** ((place - 2 + rng.normal()) / 24)
                parts = [
                    np.sin(2 * np.pi * pitch * tone * np.arange(rng.integers(700, 1300)) / RATE)
                    for tone in own
                ]
                sound = np.concatenate(parts)
                sound = 0.3 * sound + 0.1 * rng.normal(size=len(sound))
                found.append(Recording(sound.astype(np.float32), label, speaker, number))
    return found
