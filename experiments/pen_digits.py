"""Trains a network that recognises digits by how they were written, point by point, and evaluates it.

The same command again goes on where it was stopped, or reports a run that has finished.
"""

import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

from experiments.command_line import Place, run
from experiments.training import python, read_options
from experiments.vectors import Application, PredictOptions, answer
from rnn_jax.data.batches import Bucketed
from rnn_jax.data.sources.pen_digits import resample
from rnn_jax.data.vectors import VectorPreprocessor
from rnn_jax.errors import UserError
from rnn_jax.places import local
from rnn_jax.settings import with_flat
from rnn_jax.tasks import open_as
from rnn_jax.tasks.pen_digits import RECIPE, Settings
from rnn_jax.tasks.vector_classifier import probabilities
from rnn_jax.training.loop import Run
from rnn_jax.training.weights import Opened

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    PresetName: TypeAlias = str

DRAWN = 10  # digits a row

PRESETS: dict[str, Settings] = {
    "gru": with_flat(
        Settings(),
        cell="gru",
        bidirectional=True,
        pooling="mean_max",
        hidden_size=96,
        dropout=0.4,
        batch_size=32,
        epochs=40,
        average_decay=0.99,
    ),
    "cnn": with_flat(Settings(), network="cnn", pooling="max", batch_size=32, epochs=40),
    "logistic_regression": with_flat(
        Settings(), network="flat", pooling="max", dropout=0.0, batch_size=32, epochs=40
    ),
}

if not TYPE_CHECKING:
    PresetName = Literal[tuple(PRESETS)]


@dataclass(frozen=True, kw_only=True)
class Options(PredictOptions):
    """Trains a network that recognises digits by how they were written, point by point, and evaluates it.

    The same command again goes on where it was stopped, or reports a run that has finished.
    """

    settings: Settings
    preset: PresetName = "gru"
    """Settings to start from; the options below change them."""
    predict: Place | None = None
    """Say which digit the path of a pen in this CSV file is, by the trained run in --workdir: a line x,y a
    point, y upward, in any units."""


def read_path(file: str) -> NDArray[np.float32]:
    """A path of a pen, as the dataset has it.

    Raises:
        UserError: if the file cannot be read, or holds no path.
    """
    try:
        lines = local(file).read_text(encoding="utf-8-sig").splitlines()
        points = [[float(number) for number in line.split(",")] for line in lines if line.strip()]
        if not points or any(len(point) != 2 or not np.isfinite(point).all() for point in points):
            raise ValueError("a line that is not two numbers, or no line at all")
        return resample(np.array(points))
    except (OSError, ValueError) as error:
        raise UserError(f"{file} is no path of a pen ({error}): a line x,y a point, y upward") from error


def predict(workdir: str, file: str) -> str:
    """Which digit a path of a pen is."""
    opened = open_as(RECIPE, workdir, unroll="dynamic")
    [found] = probabilities(opened, [read_path(file)])
    return answer(local(file).name, opened.preprocessor.answer_names(), found)


def use(workdir: str) -> str:
    """How to use a run."""
    command = f"{python()} -m experiments.pen_digits --workdir {shlex.quote(workdir)} --predict FILE.csv"
    return f"Recognise a digit of your own:\n    {command}"


def draw(opened: Opened, run: Run) -> "Figure":
    """Test digits as they were written: some that were recognised, and some that were not."""
    from rnn_jax.reporting.drawings import Panel, draw_drawings

    test, known = cast("Bucketed", run.data.test), cast("VectorPreprocessor", run.data.preprocessor)
    labels = np.asarray(test.columns["labels"])
    paths = [each * known.deviation + known.mean for each in test.columns["vectors"]]
    answers = probabilities(opened, paths).argmax(axis=1)
    recognised = np.flatnonzero(labels == answers)
    right = recognised[np.unique(labels[recognised], return_index=True)[1]].tolist()
    wrong = np.flatnonzero(answers != labels)[:DRAWN].tolist()

    def panel(i: int) -> Panel:
        label, answered = known.labels[labels[i]], known.labels[answers[i]]
        return Panel([paths[i]], label if label == answered else f"{label}, not {answered}")

    rows = [("recognised", right[:DRAWN]), ("taken for another", wrong)]
    return draw_drawings([(name, list(map(panel, chosen))) for name, chosen in rows if chosen], begin=True)


APPLICATION = Application(
    RECIPE,
    ("synthetic", {}),
    minutes="two minutes",
    use=use,
    predict=predict,
    pictures={"paths.png": draw},
)


def main() -> int:
    """Trains, or reports what was trained, or recognises a path."""
    return APPLICATION.run(read_options(Options, PRESETS, "gru"))


if __name__ == "__main__":
    run(main)
