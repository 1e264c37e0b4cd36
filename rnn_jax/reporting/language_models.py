"""The table of language models, and what others have published on the same texts."""

from collections.abc import Sequence
from math import exp
from statistics import mean
from typing import Any, NamedTuple

from rnn_jax.reporting.runs import Row, Run, rows_of
from rnn_jax.reporting.tables import hardware, markdown, mean_and_deviation
from rnn_jax.tasks.language_model import NAME

HEAD = (
    "row", "text", "tokens", "cell", "layers × H", "parameters", "validation perplexity", "test perplexity",
    "nats a token", "bits a character", "unknown %", "seeds", "time", "on",
)  # fmt: skip


class Published(NamedTuple):
    """A figure of others."""

    text: str
    model: str
    measure: str
    figure: str
    source: str


_ISSUES = "https://github.com/pytorch/examples/issues"
_NANO_GPT = "[nanoGPT](https://github.com/karpathy/nanoGPT)"
_CHARACTERS = "Tiny Shakespeare, characters"
_WORDS = "WikiText-2, words"

PUBLISHED = (
    Published(_CHARACTERS, "small GPT, 3 minutes on a CPU", "validation nats", "1.88", _NANO_GPT),
    Published(
        *(_CHARACTERS, "minGRU, 3 layers", "test nats", "1.548"),
        "[arXiv:2410.01201](https://arxiv.org/abs/2410.01201)",
    ),
    Published(_CHARACTERS, "GPT, 3 minutes on a GPU", "validation nats", "1.4697", _NANO_GPT),
    Published(
        *(_WORDS, "LSTM, 2 × 200, tied, 6 epochs", "test perplexity", "130.3"),
        f"[pytorch/examples, issue 415]({_ISSUES}/415)",
    ),
    Published(
        *(_WORDS, "LSTM, 2 × 650, tied, 40 epochs", "test perplexity", "86.7"),
        f"[pytorch/examples, issue 281]({_ISSUES}/281)",
    ),
    Published(
        *(_WORDS, "LSTM, 2 × 1500, tied, 40 epochs", "test perplexity", "84.1"),
        f"[pytorch/examples, issue 415]({_ISSUES}/415)",
    ),
    Published(
        *(_WORDS, "AWD-LSTM, 750 epochs, not fine-tuned", "test perplexity", "65.6"),
        "[awd-lstm-lm](https://github.com/salesforce/awd-lstm-lm)",
    ),
)


def model_rows(runs: Sequence[Run]) -> list[Row]:
    """The rows of language models, by text, then by platform, the weakest first; see `rows_of` for errors."""
    return sorted(
        rows_of(NAME, runs),
        key=lambda row: (text_of(row), row.platform, -mean(row.values("test_perplexity"))),
    )


def text_of(row: Row) -> str:
    """What a model has learnt."""
    return row.runs[0].result["dataset"]


def language_models_table(rows: Sequence[Row]) -> str:
    """A line a row: means over its seeds, with the sample standard deviation of the test perplexity."""
    return markdown([HEAD, *map(_cells, rows)])


def published_table() -> str:
    """A line a figure of others, the weakest of a text first."""
    return markdown([("text", "model", "measure", "published", "source"), *PUBLISHED])


def _cells(row: Row) -> tuple[str, ...]:
    first = row.runs[0]
    return (
        row.preset,
        text_of(row),
        first.result["tokens"],
        first.result["cell"],
        _size(first.config),
        f"{first.result['parameters']:,}",
        f"{mean(map(exp, row.values('validation_loss'))):.2f}",
        mean_and_deviation(row.values("test_perplexity")),
        f"{mean(row.values('test_loss')):.4f}",
        f"{mean(row.values('test_bits_per_character')):.4f}",
        f"{100 * mean(row.values('test_unknown')):.2f}",
        str(len(row.runs)),
        duration(mean(run.seconds for run in row.runs)),
        hardware([row]),
    )


def _size(config: dict[str, Any]) -> str:
    both = ", both directions" if config.get("bidirectional") else ""
    return f"{config['num_layers']} × {config['hidden_size']:,}{both}"


def duration(seconds: float) -> str:
    """In seconds, minutes or hours, of the last two where there are two or more."""
    if seconds < 120:
        return f"{seconds:.0f} s"
    minutes = seconds / 60
    return f"{minutes:.0f} min" if minutes < 120 else f"{minutes / 60:.1f} h"
