"""Trains a network that tells promoters from other pieces of a genome, and evaluates it.

The same command again goes on where it was stopped, or reports a run that has finished. `--split` 0 to 4 are
the folds of a cross-validation, 5 to 9 those of another.
"""

import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, cast

from experiments.command_line import Place, run
from experiments.training import python, read_options
from experiments.vectors import Application, PredictOptions
from rnn_jax.data.batches import Bucketed
from rnn_jax.data.fasta import read_pieces
from rnn_jax.data.sources.promoters import BASES, STARTS, one_hot
from rnn_jax.data.vectors import VectorPreprocessor
from rnn_jax.errors import UserError
from rnn_jax.places import local
from rnn_jax.settings import with_flat
from rnn_jax.tasks import open_as
from rnn_jax.tasks.labels import detection
from rnn_jax.tasks.promoters import RECIPE, Settings, contributions
from rnn_jax.tasks.vector_classifier import probabilities
from rnn_jax.training.loop import Run
from rnn_jax.training.weights import Opened

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    PresetName: TypeAlias = str

FIRST = "lstm"
LSTM = with_flat(
    Settings(),
    dataset="ecoli",
    bidirectional=True,
    pooling="mean_max",
    hidden_size=48,
    dropout=0.5,
    batch_size=64,
    epochs=12,
    average_decay=0.99,
)
NETWORKS = {
    "lstm": LSTM,
    "cnn": with_flat(Settings(), dataset="ecoli", network="cnn", pooling="max", dropout=0.5, epochs=20),
    "logistic_regression": with_flat(Settings(), dataset="ecoli", network="flat", pooling="max", epochs=20),
}
PRESETS: dict[str, Settings] = {FIRST: with_flat(LSTM, dataset="auto")} | {
    f"{genome}_{name}": with_flat(settings, dataset=dataset)
    for genome, dataset in (("ecoli", "ecoli"), ("arabidopsis", "arabidopsis_tata"))
    for name, settings in NETWORKS.items()
}

if not TYPE_CHECKING:
    PresetName = Literal[tuple(PRESETS)]


@dataclass(frozen=True, kw_only=True)
class Options(PredictOptions):
    """Trains a network that tells promoters from other pieces of a genome, and evaluates it.

    The same command again goes on where it was stopped, or reports a run that has finished.
    """

    settings: Settings
    preset: PresetName = FIRST
    """Genome and settings to start from; the options below change them."""
    predict: Place | None = None
    """Say which pieces in this FASTA file are promoters, by the trained run in --workdir: of A, C, G and T,
    each as long as those that it has learnt from."""


def draw(opened: Opened, run: Run) -> "Figure":
    """Which bases speak for a promoter."""
    from rnn_jax.reporting.motifs import draw_motifs

    found = contributions(opened, cast("Bucketed", run.data.test))
    return draw_motifs(found, tuple(BASES), STARTS[run.data.name])


def also(result: dict[str, Any]) -> str:
    """What is told of promoters beside accuracy."""
    found = detection(result["test_confusion"])
    return (
        f", sensitivity {found.sensitivity:.3f}, specificity {found.specificity:.3f}, "
        f"correlation {found.correlation:.3f}"
    )


def read_fasta(file: str) -> list[tuple[str, str]]:
    """Pieces, and their names.

    Raises:
        UserError: if the file cannot be read, or holds none, or other letters.
    """
    try:
        pieces = read_pieces(local(file).read_text(encoding="ascii"))
    except (OSError, ValueError) as error:  # what is not ASCII, too
        raise UserError(f"{file} cannot be read as FASTA ({error}): a line >NAME, then the bases") from error
    for name, bases in pieces:
        if odd := sorted(set(bases) - set(BASES + "N")):
            raise UserError(f"{file}: {name} has the letter {odd[0]!r}: bases are A, C, G, T, or N")
    return pieces


def predict(workdir: str, file: str) -> str:
    """How probable it is that each piece of a file is a promoter."""
    opened = open_as(RECIPE, workdir, unroll="dynamic")
    length = cast("VectorPreprocessor", opened.preprocessor).max_length
    pieces = read_fasta(file)
    for name, bases in pieces:
        if len(bases) != length:
            raise UserError(f"{file}: {name} has {len(bases)} bases: this run knows pieces of {length}")
    found = probabilities(opened, [one_hot(bases) for _, bases in pieces])
    return "\n".join(
        f"{name}: promoter, with probability {each[1]:.1%}"
        for (name, _), each in zip(pieces, found, strict=True)
    )


def use(workdir: str) -> str:
    """How to use a run."""
    command = f"{python()} -m experiments.promoters --workdir {shlex.quote(workdir)} --predict FILE.fa"
    return f"Look for promoters of your own:\n    {command}"


APPLICATION = Application(
    RECIPE,
    ("synthetic", {}),
    minutes="a minute or two",
    use=use,
    predict=predict,
    pictures={"motifs.png": draw},
    also=also,
)


def main() -> int:
    """Trains, or reports what was trained, or looks for promoters."""
    return APPLICATION.run(read_options(Options, PRESETS, FIRST))


if __name__ == "__main__":
    run(main)
