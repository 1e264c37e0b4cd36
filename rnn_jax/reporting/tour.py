"""The tour: what recurrent networks are for, with the recorded runs and what others have reached."""

from collections.abc import Callable, Sequence
from statistics import mean, stdev
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
        order: by which rows are sorted; by default the weakest by the last figure first.
    """

    name: str
    title: str
    words: str
    task: str
    columns: tuple[str, ...]
    figures: Callable[[Run], Figures]
    published: tuple[Published, ...]
    holds: Callable[[dict[str, Any]], bool] = lambda config: True
    order: Callable[[Row], Any] | None = None


def accuracies(run: Run) -> Figures:
    """On the validation and on the test split, in percent."""
    return 100 * run.result["validation_accuracy"], 100 * run.result["test_accuracy"]


def detections(run: Run) -> Figures:
    """How well promoters are found; accuracy in percent."""
    return (*detection(run.result["test_confusion"]), 100 * run.result["test_accuracy"])


def errors(run: Run) -> Figures:
    """Of forecasts, in deviations; and of repeating the last season; the band's share in percent."""
    result = run.result
    named = ("validation_mse", "test_mse", "test_mae", "test_naive_mse", "test_naive_mae")
    return (*(result[name] for name in named), 100 * result["test_coverage"])


def by_horizon(row: Row) -> tuple[int, float]:
    """The shortest forecasts first, of these the worst."""
    return row.runs[0].config["horizon"], -mean(row.values("test_mse"))


def relative_errors(run: Run) -> Figures:
    """The root relative squared errors after some days, then those of repeating the last value."""
    after = {each["steps"]: each for each in run.result["test_by_step"]}
    return tuple(after[steps][name] for name in ("rse", "naive_rse") for steps in DAYS)


def nats(run: Run) -> Figures:
    """Of a pen: of a point, of its place and of what the pen does there, and of a drawing."""
    result = run.result
    named = ("test_loss", "test_offset_loss", "test_action_loss", "test_nats_per_drawing")
    return (result["validation_loss"], *(result[name] for name in named))


def translated(run: Run) -> Figures:
    """Perplexities, BLEU, and that of the nearest training sentence's translation."""
    result = run.result
    named = ("validation_perplexity", "test_perplexity", "test_bleu", "test_nearest_bleu")
    return tuple(result[name] for name in named)


def captioned(run: Run) -> Figures:
    """BLEU-1 to 4, and BLEU-4 of what can be said without looking."""
    result = run.result
    return (*result["test_bleu"], result["test_random_bleu"][-1], result["test_frequent_bleu"][-1])


def by_loss(row: Row) -> float:
    """The worst first."""
    return -mean(row.values("test_loss"))


_TCN = "[Bai et al., 2018](https://arxiv.org/abs/1803.01271), 70,000 parameters"
_S4 = "[Gu et al., 2022](https://arxiv.org/abs/2111.00396)"
_INDRNN = "[Li et al., 2018](https://arxiv.org/abs/1803.04831)"
_PLOS = "[Umarov and Solovyev, 2017](https://doi.org/10.1371/journal.pone.0171410)"
_SEQ2SEQ = "[Trevett, PyTorch Seq2Seq](https://github.com/bentrevett/pytorch-seq2seq), tokenised BLEU"
_LOOK = "[Xu et al., 2015](https://arxiv.org/abs/1502.03044), pre-trained features; no brevity penalty"
ACCURACY = ("validation %", "test %")
NATS = ("validation nats", "test nats", "of the place", "of the pen", "a drawing")
TRANSLATED = ("validation perplexity", "test perplexity", "test BLEU", "nearest BLEU")
CAPTIONED = (*(f"BLEU-{order}" for order in range(1, 5)), "random BLEU-4", "frequent BLEU-4")
DETECTION = ("sensitivity", "specificity", "correlation", "test %")
DAYS = (3, 6, 12, 24)
ERRORS = ("validation MSE", "test MSE", "test MAE", "naive MSE", "naive MAE", "in the band %")
RELATIVE = (*(f"RSE {days} d" for days in DAYS), *(f"naive {days} d" for days in DAYS))
_DLINEAR = "[Zeng et al., 2023](https://arxiv.org/abs/2205.13504)"
_INFORMER = "[Zhou et al., 2021](https://arxiv.org/abs/2012.07436)"
_LSTNET = "[Lai et al., 2018](https://arxiv.org/abs/1703.07015)"
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
        "of each digit by each speaker to test, as its authors do, 5 to 9 for validation. A convolutional "
        "network is as accurate as the recurrent one.",
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
        "pen_digits",
        "Digits by the way of the pen",
        "Pen digits of the UCI repository: eight points each, 6,749 to learn from, 745 by the same people "
        "for validation, 3,498 by other people to test.",
        *("pen_digits", ACCURACY, accuracies, ()),
    ),
    Chapter(
        "handwriting",
        "Characters that a pen draws",
        "Omniglot's characters as lines, split 30,000, 1,000 and 1,000 as published: negative log-likelihood "
        "of the next point, in nats, a density over pixels of 105 by 105, and of what the pen does then. "
        "`mixture` has twenty Gaussians a point, `single_gaussian` one; `window` reads the last four points "
        "and has no state.",
        *("handwriting", NATS, nats, ()),
        order=by_loss,
    ),
    Chapter(
        "translation",
        "From German to English",
        "Multi30k: 29,000 pairs of sentences, 1,014 for validation, the test set of 2016; sacreBLEU in lower "
        "case, by a beam search over four texts. *Nearest* is the translation of the training sentence that "
        "shares most words.",
        *("translation", TRANSLATED, translated),
        (
            Published("LSTM", ("", "", "13.8", ""), _SEQ2SEQ),
            Published("GRU", ("", "", "20.6", ""), _SEQ2SEQ),
            Published("GRU, attention", ("", "", "28.3", ""), _SEQ2SEQ),
            Published("convolutions", ("", "", "34.1", ""), _SEQ2SEQ),
            Published("Transformer", ("", "", "36.5", ""), _SEQ2SEQ),
        ),
        order=lambda row: mean(row.values("test_bleu")),
    ),
    Chapter(
        "captioning",
        "What photographs show",
        "Flickr8k at 96 by 96 pixels, 6,000 photographs, 1,000 for validation and 1,000 to test, with five "
        "captions each; nothing is learnt from other photographs or texts. *Random* is a training caption "
        "drawn for each, *frequent* the most frequent one for all. Attention gains nothing here that can be "
        "told from noise; between languages it is eleven points.",
        *("captioning", CAPTIONED, captioned),
        (Published("attention", ("67", "44.8", "29.9", "19.5", "", ""), _LOOK),),
        order=lambda row: mean(each[-1] for each in row.values("test_bleu")),
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
    Chapter(
        "ett",
        "The load of a transformer, hour by hour",
        "ETTh1: seven variables over two years, twelve months to learn from, four to validate, four to test, "
        "as published; MSE and MAE of all variables in deviations of the training part, over all windows of "
        "the test part. *Naive* repeats the last day; the band is between the quantiles of 10 % and 90 %.",
        *("forecasting", ERRORS, errors),
        (
            *(
                Published(f"DLinear, {horizon} h", ("", mse, "", "", "", ""), _DLINEAR)
                for horizon, mse in ((96, "0.375"), (192, "0.405"), (336, "0.439"), (720, "0.472"))
            ),
            *(
                Published(f"LSTM, {horizon} h", ("", mse, "", "", "", ""), _INFORMER)
                for horizon, mse in ((336, "1.424"), (720, "1.960"))
            ),
        ),
        holds=lambda config: config["dataset"] == "ett/h1",
        order=by_horizon,
    ),
    Chapter(
        "exchange",
        "Exchange rates, day by day",
        "Eight currencies from 1990 to 2016, 60, 20 and 20 %: root relative squared errors after some days. "
        "*Naive* repeats the last value, and is the better forecast where its error is the smaller one.",
        *("forecasting", RELATIVE, relative_errors),
        (
            Published(
                "GRU", (".0192", ".0264", ".0408", ".0626", *("",) * len(DAYS)), f"{_LSTNET}, other windows"
            ),
        ),
        holds=lambda config: config["dataset"] == "exchange_rate",
        order=by_horizon,
    ),
    Chapter(
        "vix",
        "The volatility of a market, day by day",
        "The logarithm of the VIX at the close, 20 days ahead: learnt from before 2016, tested on from 2020.",
        *("forecasting", ERRORS, errors, ()),
        holds=lambda config: config["dataset"] == "finance_vix",
        order=by_horizon,
    ),
)


def rows_in(chapter: Chapter, runs: Sequence[Run]) -> list[Row]:
    """The rows of a chapter, in its order; see `rows_of` for errors."""

    def last(row: Row) -> float:
        return mean(chapter.figures(run)[-1] for run in row.runs)

    rows = [row for row in rows_of(chapter.task, runs) if chapter.holds(row.runs[0].config)]
    return sorted(rows, key=chapter.order or last)


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
        mean_and_deviation(values) if "%" in column or "BLEU" in column else _fraction(values)
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
    """As `mean_and_deviation`, of small numbers."""
    spread = f" ± {stdev(values):.4f}" if len(set(values)) > 1 else ""
    return f"{mean(values):.4f}{spread}"


def network_of(run: Run) -> str:
    """The network in a few words."""
    config = run.config
    if config.get("network", "recurrent") != "recurrent":
        names = {
            "window": "layer over four points",
            "flat": "linear",
            "bag": "mean of all steps, linear",
            "cnn": "CNN",
            "linear": "linear",
        }
        return names[config["network"]]
    size = f"{config['cell']}, {config['num_layers']} × {config['hidden_size']}"
    both = ", both directions" * config.get("bidirectional", False)
    block = ", residual blocks" * (config.get("block", "none") == "residual")
    attention = f", attention {config['attention']}" if "attention" in config else ""
    return f"{size}{both}{block}{attention}"
