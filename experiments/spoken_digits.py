"""Trains a network that recognises spoken digits, and evaluates it.

The same command again goes on where it was stopped, or reports a run that has finished. With `--held-out
NAME` it is tested on a speaker whom it has never heard.
"""

import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias, cast

import numpy as np

from experiments.command_line import Place, run
from experiments.training import python, read_options
from experiments.vectors import Application, PredictOptions, answer
from rnn_jax.data.batches import Bucketed
from rnn_jax.data.sources.sounds import log_mel, read_wav
from rnn_jax.data.sources.spoken_digits import SPEAKERS
from rnn_jax.data.vectors import VectorPreprocessor
from rnn_jax.settings import with_flat
from rnn_jax.tasks import open_as
from rnn_jax.tasks.spoken_digits import RECIPE, Settings
from rnn_jax.tasks.vector_classifier import probabilities, probabilities_over_time
from rnn_jax.training.loop import Run
from rnn_jax.training.weights import Opened

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    PresetName: TypeAlias = str

DRAWN = 3  # recordings

GRU = with_flat(
    Settings(),
    cell="gru",
    bidirectional=True,
    pooling="mean_max",
    hidden_size=96,
    dropout=0.4,
    buckets=3,
    batch_size=32,
    epochs=20,
    average_decay=0.99,
)
PRESETS: dict[str, Settings] = {
    "gru": GRU,
    **{speaker: with_flat(GRU, held_out=speaker) for speaker in SPEAKERS},
    "cnn": with_flat(Settings(), network="cnn", pooling="max", buckets=3, batch_size=32, epochs=20),
    "mean": with_flat(
        Settings(), network="bag", pooling="max", dropout=0.0, buckets=3, batch_size=32, epochs=40
    ),
}

if not TYPE_CHECKING:
    PresetName = Literal[tuple(PRESETS)]


@dataclass(frozen=True, kw_only=True)
class Options(PredictOptions):
    """Trains a network that recognises spoken digits, and evaluates it.

    The same command again goes on where it was stopped, or reports a run that has finished.
    """

    settings: Settings
    preset: PresetName = "gru"
    """Settings to start from; the options below change them. The name of a speaker holds that one out."""
    predict: Place | None = None
    """Say which digit is heard in this recording, by the trained run in --workdir: a WAV file with one
    channel, at any rate."""


def draw(opened: Opened, run: Run) -> "Figure":
    """The spectrum of some test recordings, and what the network makes of them as it hears them."""
    from rnn_jax.reporting.over_time import Read, draw_over_time

    test, known = cast("Bucketed", run.data.test), cast("VectorPreprocessor", opened.preprocessor)
    read = []
    for place in np.linspace(0, len(test) - 1, DRAWN, dtype=int):
        sequence = test.columns["vectors"][place] * known.deviation + known.mean
        title = f"“{known.labels[test.columns['labels'][place]]}”"
        read.append(Read(title, sequence, probabilities_over_time(opened, sequence)))
    return draw_over_time(read, known.labels, "frame (10 ms)", "mel band")


def predict(workdir: str, file: str) -> str:
    """Which digit is heard, and the next best guess."""
    opened = open_as(RECIPE, workdir, unroll="dynamic")
    labels = cast("VectorPreprocessor", opened.preprocessor).labels
    return answer(file, labels, probabilities(opened, [log_mel(read_wav(file))])[0])


def use(workdir: str) -> str:
    """How to use a run."""
    command = f"{python()} -m experiments.spoken_digits --workdir {shlex.quote(workdir)} --predict FILE.wav"
    return f"Hear a digit of your own:\n    {command}"


APPLICATION = Application(
    RECIPE,
    ("synthetic", {}),
    minutes="two minutes",
    use=use,
    predict=predict,
    pictures={"over_time.png": draw},
)


def main() -> int:
    """Trains, or reports what was trained, or hears a recording."""
    return APPLICATION.run(read_options(Options, PRESETS, "gru"))


if __name__ == "__main__":
    run(main)
