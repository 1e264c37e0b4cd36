"""The tour: what recurrent networks are for, with the recorded runs and what others have reached."""

from collections.abc import Callable, Sequence
from statistics import mean
from typing import Any, NamedTuple

from rnn_jax.reporting.language_models import duration
from rnn_jax.reporting.runs import Row, Run, rows_of
from rnn_jax.reporting.tables import commands, hardware, markdown, mean_and_deviation
from rnn_jax.tasks.labels import detection

Figures = tuple[float, ...]  # of a run, in the order of the columns


class Published(NamedTuple):
    """What others have reached."""

    network: str
    figures: tuple[str, ...]
    source: str


class Chapter(NamedTuple):
    """An application.

    Attributes:
        name: for files.
        title: its heading.
        words: the data, and how they are split.
        task: the name of what is learnt.
        columns: what the figures are called.
        figures: those of a run.
        published: what others have reached, in the same columns.
        holds: which settings of the task belong here.
    """

    name: str
    title: str
    words: str
    task: str
    columns: tuple[str, ...]
    figures: Callable[[Run], Figures]
    published: tuple[Published, ...]
    holds: Callable[[dict[str, Any]], bool] = lambda config: True


def accuracies(run: Run) -> Figures:
    """On the validation and on the test split, in percent."""
    return 100 * run.result["validation_accuracy"], 100 * run.result["test_accuracy"]


def detections(run: Run) -> Figures:
    """How well promoters are found; accuracy in percent."""
    return (*detection(run.result["test_confusion"]), 100 * run.result["test_accuracy"])


_TCN = "[Bai et al., 2018](https://arxiv.org/abs/1803.01271), 70,000 parameters"
_S4 = "[Gu et al., 2022](https://arxiv.org/abs/2111.00396)"
_INDRNN = "[Li et al., 2018](https://arxiv.org/abs/1803.04831)"
_PLOS = "[Umarov and Solovyev, 2017](https://doi.org/10.1371/journal.pone.0171410)"
ACCURACY = ("validation %", "test %")
DETECTION = ("sensitivity", "specificity", "correlation", "test %")
_IMAGES = "55,000 training images, 5,000 for validation, 10,000 to test"

CHAPTERS = (
    Chapter(
        "digits_rows",
        "Handwritten digits, row by row",
        f"MNIST: {_IMAGES}; 28 steps of 28 pixels. `logistic_regression` reads all pixels at once, `cnn` has "
        "filters over three to five rows.",
        *("digits", ACCURACY, accuracies, ()),
        holds=lambda config: config["order"] == "rows",
    ),
    Chapter(
        "digits_pixels",
        "Handwritten digits, pixel by pixel",
        f"The same images, a pixel a step: 784 steps, the answer in the end ({_IMAGES}).",
        *("digits", ACCURACY, accuracies),
        (
            Published("LSTM", ("", "87.2"), _TCN),
            Published("GRU", ("", "96.2"), _TCN),
            Published("TCN", ("", "99.0"), _TCN),
            Published("IndRNN", ("", "99.0"), _INDRNN),
            Published("S4", ("", "99.6"), _S4),
        ),
        holds=lambda config: config["order"] == "pixels",
    ),
    Chapter(
        "digits_permuted",
        "Handwritten digits, pixel by pixel in a random order",
        "The same pixels in an order that was drawn once: what belongs together is far apart.",
        *("digits", ACCURACY, accuracies),
        (
            Published("LSTM", ("", "85.7"), _TCN),
            Published("GRU", ("", "87.3"), _TCN),
            Published("TCN", ("", "97.2"), _TCN),
            Published("IndRNN", ("", "96.0"), _INDRNN),
            Published("S4", ("", "98.7"), _S4),
        ),
        holds=lambda config: config["order"] == "permuted",
    ),
    Chapter(
        "spoken_digits",
        "Spoken digits",
        "The Free Spoken Digit Dataset 1.0.9, five speakers, as log-mel frames of 10 ms: recordings 0 to 4 "
        "of each digit by each speaker to test, as its authors do, 5 to 9 for validation.",
        *("spoken_digits", ACCURACY, accuracies, ()),
        holds=lambda config: config["held_out"] == "none",
    ),
    Chapter(
        "speakers",
        "Spoken digits, by a speaker never heard",
        "A row a speaker, who is tested on, with all recordings; the others are learnt from.",
        *("spoken_digits", ACCURACY, accuracies, ()),
        holds=lambda config: config["held_out"] != "none",
    ),
    Chapter(
        "promoters_ecoli",
        "Promoters of Escherichia coli",
        "839 promoters and 3,000 other pieces of 81 bases, by two cross-validations of five folds, "
        "overlapping pieces in one fold; a seed is a fold.",
        *("promoters", DETECTION, detections),
        (Published("CNN", ("0.90", "0.96", "0.84", ""), f"{_PLOS}, pieces split at random"),),
        holds=lambda config: config["dataset"] == "ecoli",
    ),
    Chapter(
        "promoters_arabidopsis",
        "Promoters of Arabidopsis with a TATA box",
        "1,497 promoters and 2,879 other pieces of 251 bases, split in the same way.",
        *("promoters", DETECTION, detections),
        (Published("CNN", ("0.95", "0.97", "0.91", ""), f"{_PLOS}, pieces split at random"),),
        holds=lambda config: config["dataset"] == "arabidopsis_tata",
    ),
)


def rows_in(chapter: Chapter, runs: Sequence[Run]) -> list[Row]:
    """The rows of a chapter, the weakest by its last figure first; see `rows_of` for errors."""
    rows = [row for row in rows_of(chapter.task, runs) if chapter.holds(row.runs[0].config)]
    return sorted(rows, key=lambda row: mean(chapter.figures(run)[-1] for run in row.runs))


def tour_page(runs: Sequence[Run]) -> str:
    """The page of all chapters that have runs; `""` where none has."""
    parts = [chapter_of(chapter, rows) for chapter in CHAPTERS if (rows := rows_in(chapter, runs))]
    if not parts:
        return ""
    head = (
        "# The tour\n\nWhat recurrent networks are for, on real data, with the parts of this project: made "
        "by `make tables` from the recorded runs. A figure is the mean over seeds, with the sample standard "
        "deviation; the test split is read once, at the end of a run; settings were found on validation.\n\n"
    )
    return head + "\n".join(parts)


def chapter_of(chapter: Chapter, rows: Sequence[Row]) -> str:
    """A section: words, rows, what others have reached, pictures, commands."""
    head = ("row", "network", "parameters", *chapter.columns, "seeds", "time", "on")
    lines = [head, *(_cells(chapter, row) for row in rows)]
    text = f"## {chapter.title}\n\n{chapter.words}\n\n{markdown(lines)}\n"
    if chapter.published:
        published = [(each.network, *each.figures, each.source) for each in chapter.published]
        table = markdown([("network", *chapter.columns, "source"), *published])
        text += f"Published by others:\n\n{table}\n"
    for platform in dict.fromkeys(row.platform for row in rows):
        text += f"![{chapter.title}](plots/{picture_name(chapter, platform)})\n\n"
    return text + commands(rows)


def picture_name(chapter: Chapter, platform: str) -> str:
    """The file of a chapter's picture."""
    return f"tour_{chapter.name}_{platform}.png"


def _cells(chapter: Chapter, row: Row) -> tuple[str, ...]:
    first = row.runs[0]
    figures = zip(*(chapter.figures(run) for run in row.runs), strict=True)
    shown = (
        mean_and_deviation(values) if "%" in column else _fraction(values)
        for column, values in zip(chapter.columns, figures, strict=True)
    )
    return (
        row.preset.removeprefix(f"{chapter.task}_"),
        network_of(first),
        f"{first.result['parameters']:,}",
        *shown,
        str(len(row.runs)),
        duration(mean(run.seconds for run in row.runs)),
        hardware([row]),
    )


def _fraction(values: Sequence[float]) -> str:
    """As `mean_and_deviation`, in hundredths."""
    return f"{mean(values):.3f}" + (f" ± {_deviation(values):.3f}" if len(values) > 1 else "")


def _deviation(values: Sequence[float]) -> float:
    middle = mean(values)
    return (sum((value - middle) ** 2 for value in values) / (len(values) - 1)) ** 0.5


def network_of(run: Run) -> str:
    """The network in a few words."""
    config = run.config
    if config["network"] != "recurrent":
        return {"flat": "linear", "bag": "mean of the frames", "cnn": "CNN"}[config["network"]]
    size = f"{config['cell']}, {config['num_layers']} × {config['hidden_size']}"
    both = ", both directions" * config["bidirectional"]
    block = ", residual blocks" * (config.get("block", "none") == "residual")
    return f"{size}{both}{block}"
