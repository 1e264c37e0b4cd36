"""What a language model is worth to a classifier that starts from its weights: records, and their tables.

`labels.jsonl` has classifiers of few and of many labelled reviews, `with-1000` from a language model and
`without-1000` from drawn weights; `epochs.jsonl` has classifiers from language models that were trained for
so many epochs. Both are files of records (`rnn_jax.reporting.records`), a line a name and seed.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import mean, stdev
from typing import NamedTuple

from rnn_jax.reporting.language_models import duration
from rnn_jax.reporting.records import Record
from rnn_jax.reporting.runs import Row, read_runs, require, rows_of
from rnn_jax.reporting.tables import hardware, markdown, mean_and_deviation
from rnn_jax.tasks.text_classification import NAME

ALL = {False: 22_500, True: 25_000}  # labelled reviews, where `train_examples` is null; with --refit
ARMS = ("without", "with")  # a language model: how names in `labels.jsonl` begin


class Labelled(NamedTuple):
    """Classifiers that were trained on the same labelled reviews: with a language model, or without."""

    arm: str  # of `ARMS`
    examples: int
    accuracies: list[float]  # in %, on the test reviews, of every seed
    hardware: str


class Pretrained(NamedTuple):
    """Classifiers that start from the weights of one language model."""

    epochs: float  # that the language model was trained for
    seconds: float  # that it took
    accuracies: list[float]  # in %, on the validation reviews, of every seed
    hardware: str


def load_labels(file: Path) -> list[Labelled]:
    """Reads classifiers by arm, then by the number of labelled reviews; see `rows_of` for errors."""
    return sorted(map(_labelled, _rows(file, _check_labels)))


def load_pretraining(file: Path) -> list[Pretrained]:
    """Reads classifiers by how long their language models were trained; see `rows_of` for errors."""
    return sorted(map(_pretrained, _rows(file, _check_epochs)))


def _rows(file: Path, check: Callable[[Record], None]) -> list[Row]:
    """The runs of a file by name: one setting each, and every seed once."""
    return rows_of(NAME, sorted(read_runs(file, check), key=lambda run: run.result["seed"]))


def _labelled(row: Row) -> Labelled:
    config = row.runs[0].config
    examples = config["train_examples"]
    accuracies = [100 * accuracy for accuracy in row.values("test_accuracy")]
    return Labelled(
        _arm(row.preset),
        ALL[config.get("refit", False)] if examples is None else examples,
        accuracies,
        hardware([row]),
    )


def _pretrained(row: Row) -> Pretrained:
    accuracies = [100 * accuracy for accuracy in row.values("validation_accuracy")]
    epochs, seconds = (mean(row.values(f"pretraining_{name}")) for name in ("epochs", "seconds"))
    return Pretrained(epochs, seconds, accuracies, hardware([row]))


def _arm(name: str) -> str:
    return name.partition("-")[0]


def _check_labels(record: Record) -> None:
    require(record.config, ("train_examples",))
    require(record.result, ("dataset", "seed", "test_accuracy", "hardware"))
    if record.result["test_accuracy"] is None:
        raise ValueError("a trial, run with --no-test")
    if _arm(record.name) not in ARMS:
        raise ValueError(f"{record.name} begins neither with {'- nor with '.join(ARMS)}-")


def _check_epochs(record: Record) -> None:
    fields = ("dataset", "seed", "validation_accuracy", "pretraining_seconds", "pretraining_epochs")
    require(record.result, (*fields, "hardware"))
    if record.result["validation_accuracy"] is None:
        raise ValueError("a run without validation reviews: --refit was given")


def arm_of(found: Sequence[Labelled], arm: str) -> dict[int, list[float]]:
    """The accuracies with a language model, or without, by the number of labelled reviews."""
    return {each.examples: each.accuracies for each in found if each.arm == arm}


def labels_table(found: Sequence[Labelled]) -> str:
    """A line a number of labelled reviews: test accuracy without and with a language model.

    Means over seeds with the sample standard deviation; that of their difference is the root of the sum of
    both variances, since a seed of one has nothing in common with the same seed of the other.
    """
    without, with_one = (arm_of(found, arm) for arm in ARMS)
    lines = [["labelled reviews", "without %", "with %", "difference", "seeds", "on"]]
    for examples in sorted({*without, *with_one}):
        pair = without.get(examples, []), with_one.get(examples, [])
        seeds = " and ".join(dict.fromkeys(str(len(values)) for values in pair if values))
        devices = " / ".join(dict.fromkeys(each.hardware for each in found if each.examples == examples))
        lines.append([f"{examples:,}", *map(mean_and_deviation, pair), _difference(*pair), seeds, devices])
    return markdown(lines)


def _difference(without: Sequence[float], with_one: Sequence[float]) -> str:
    if not without or not with_one:
        return "–"
    middle = mean(with_one) - mean(without)
    spread = ""
    if len(without) > 1 and len(with_one) > 1:
        spread = f" ± {(stdev(without) ** 2 + stdev(with_one) ** 2) ** 0.5:.2f}"
    return f"{middle:+.2f}".replace("-", "−") + spread


def pretraining_table(found: Sequence[Pretrained]) -> str:
    """A line a language model: how long it was trained, and the validation accuracy that starts from it."""
    lines = [("epochs of the language model", "time", "validation %", "seeds", "on")]
    for each in found:
        accuracy = mean_and_deviation(each.accuracies)
        lines.append(
            (f"{each.epochs:g}", duration(each.seconds), accuracy, str(len(each.accuracies)), each.hardware)
        )
    return markdown(lines)
