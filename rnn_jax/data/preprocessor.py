"""What a text goes through before a network reads it, as it is kept beside a run."""

import json
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from rnn_jax.data.label_types import STRING
from rnn_jax.data.log_count_ratios import LogCountRatios
from rnn_jax.data.tokenizers import END, UNKNOWN_NAME
from rnn_jax.data.vocabulary import PAD, SPECIAL_NAMES, Vocabulary
from rnn_jax.durable import write_whole
from rnn_jax.errors import UserError

VOCABULARY, RATIOS, LABELS = "vocabulary.txt", "log_count_ratios.npz", "labels.json"
SENTIMENT = ("negative", "positive")  # of film reviews, and of runs that are older than the file of labels


class TextPreprocessor(NamedTuple):
    """The words that a network knows, the log-count ratios that it reads, if any, and its labels."""

    vocabulary: Vocabulary
    ratios: LogCountRatios | None = None
    labels: tuple[str, ...] = SENTIMENT
    text_column: str = ""  # where its texts came from, in a table
    label_type: str = STRING  # what the labels were there

    def files(self) -> dict[str, Callable[[Path], None]]:
        """Writers: of words, a line each, of labels, and of log-count ratios where there are any."""
        words = "".join(word + "\n" for word in self.vocabulary.words)
        told = {
            "labels": self.labels,
            "text_column": self.text_column,
            "label_type": self.label_type,
        }
        labels = json.dumps(told, ensure_ascii=False, indent=2) + "\n"
        writers: dict[str, Callable[[Path], None]] = {
            VOCABULARY: lambda path: write_whole(path, words),
            LABELS: lambda path: write_whole(path, labels),
        }
        if self.ratios is not None:
            writers[RATIOS] = self.ratios.write
        return writers

    def row_names(self) -> list[str]:
        """The words by index, as a tokenizer calls them: a text begins where another has ended."""
        return [SPECIAL_NAMES[PAD], END, UNKNOWN_NAME, *self.vocabulary.names()]

    def answer_names(self) -> tuple[str, ...]:
        """The labels, by number."""
        return self.labels

    @classmethod
    def read(cls, directory: Path, with_ratios: bool) -> "TextPreprocessor":
        """Reads them from the directory of a run.

        Raises:
            UserError: if a file is missing or damaged.
        """
        try:
            file = directory / VOCABULARY
            vocabulary = Vocabulary.of(file.read_text(encoding="utf-8").splitlines())
            file = directory / LABELS
            told: dict[str, Any] = (
                json.loads(file.read_text(encoding="utf-8")) if file.exists() else {"labels": SENTIMENT}
            )
            labels, text_column = tuple(told["labels"]), told.get("text_column", "")
            file = directory / RATIOS
            ratios = LogCountRatios.read(file) if with_ratios else None
            return cls(vocabulary, ratios, labels, text_column, told.get("label_type", STRING))
        except (
            OSError,
            ValueError,
            KeyError,
            TypeError,
            AttributeError,
            EOFError,
            zipfile.BadZipFile,
            zlib.error,
        ) as error:
            raise UserError(f"{file} cannot be read ({error}): train the run again") from error
