"""Runs every application, one after the other, and makes a page of their figures and pictures.

What has run already is not run again, and what was stopped goes on. Where a dataset is not prepared, a small
one stands in for it; what each of them is, the page says.
"""

from dataclasses import dataclass
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias

from experiments.command_line import Place, parse, run, run_all
from experiments.promoters import also
from rnn_jax.durable import write_whole
from rnn_jax.reporting.tour_album import Stop, album
from rnn_jax.tasks.bleu import check_bleu
from rnn_jax.training.run_directory import RunDirectory


class Leg(NamedTuple):
    """A part of the tour.

    Attributes:
        title: of the application.
        pictures: that its script leaves in its directory: files by what they show.
        options: of its script.
    """

    title: str
    pictures: dict[str, str]
    options: str = ""


ANSWERS = {"which answers it gave, and how early it knew them": "answers.png"}
ONE = " --num-devices 1"  # a CPU's cores share one: of several, each would update all word vectors
LEGS = {
    "digits": Leg("Handwritten digits, row by row", ANSWERS),
    "spoken_digits": Leg(
        "Spoken digits",
        {"what it made of three recordings while it heard them": "over_time.png"} | ANSWERS,
    ),
    "pen_digits": Leg(
        "Digits by the way of the pen", {"some, and some that it took for others": "paths.png"} | ANSWERS
    ),
    "handwriting": Leg(
        "Characters that a pen draws", {"what it draws, beside what people have drawn": "drawings.png"}
    ),
    "translation": Leg("Translation", {"what it read when it wrote each word": "alignments.png"}, ONE),
    "captioning": Leg(
        "What photographs show",
        {"what it says": "captions.png", "where it looked when it said each word": "looks.png"},
        ONE,
    ),
    "promoters": Leg(
        "Where genes begin",
        {"which bases spoke for a promoter": "motifs.png"} | ANSWERS,
    ),
    "forecasting": Leg(
        "What comes next, with how sure that is", {"forecasts over what came": "forecast.png"}
    ),
}

if TYPE_CHECKING:
    LegName: TypeAlias = str
else:
    LegName = Literal[tuple(LEGS)]


@dataclass(frozen=True)
class Options:
    """Runs every application, one after the other, and makes a page of their figures and pictures."""

    output: Place = "runs/tour"
    """Folder of the runs and of index.html, the page."""
    only: tuple[LegName, ...] = tuple(LEGS)
    """Applications to run; all by default."""
    data_dir: Place | None = None
    """TFDS directory; by default $TFDS_DATA_DIR, or ~/tensorflow_datasets."""


def words_of(result: dict[str, Any]) -> str:
    """What came out, in a line."""
    number = f"{result['test_examples']:,} test examples"
    if "test_mse" in result:
        found = (
            f"MSE {result['test_mse']:.3f}, where repeating the last season has "
            f"{result['test_naive_mse']:.3f}, on {result['test_examples']:,} test windows"
        )
    elif "test_nats_per_drawing" in result:
        found = f"{result['test_loss']:.2f} nats a point, on {number}"
    elif "test_nearest_bleu" in result:
        nearest = (
            f"the translation of the most similar training sentence has {result['test_nearest_bleu']:.1f}"
        )
        found = f"BLEU {result['test_bleu']:.1f}, where {nearest}, on {number}"
    elif "test_random_bleu" in result:
        own, drawn = (result[name][-1] for name in ("test_bleu", "test_random_bleu"))
        found = f"BLEU-4 {own:.1f}, where captions drawn at random have {drawn:.1f}, on {number}"
    else:
        further = also(result) if result["task"] == "promoters" else ""
        found = f"accuracy {result['test_accuracy']:.2%}{further} on {number}"
    return f"{result['dataset']}: {found}, after {result['train_seconds']:.0f} s of training"


def stop_of(leg: Leg, command: str, workdir: Path) -> Stop:
    """What the page shows of a run that has finished."""
    result = RunDirectory(workdir).read_result()
    assert result is not None
    files = {words: workdir / name for words, name in leg.pictures.items()}
    there = {words: file for words, file in files.items() if file.exists()}
    return Stop(leg.title, words_of(result), command, there)


def main() -> int:
    """Runs what is missing, and makes the page."""
    options = parse(Options)
    data = f" --data-dir {quote(options.data_dir)}" if options.data_dir else ""
    if {"translation", "captioning"} & set(options.only):
        check_bleu()  # and not after the others have run
    stops = []
    for number, name in enumerate(options.only, start=1):
        leg, workdir = LEGS[name], Path(options.output) / name
        command = f"python -m experiments.{name} --workdir {quote(str(workdir))}{leg.options}{data}"
        print(f"{number} of {len(options.only)}: {leg.title}", flush=True)
        if code := run_all([command]):
            return code
        stops.append(stop_of(leg, command, workdir))
    page = Path(options.output) / "index.html"
    write_whole(page, album(stops))
    print(f"All of it on one page: {page}")
    return 0


if __name__ == "__main__":
    run(main)
