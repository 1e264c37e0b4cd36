"""What a text goes through before a network reads it, as it is kept beside a run."""

import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from rnn_jax.data.log_count_ratios import LogCountRatios
from rnn_jax.data.tokenizers import END, UNKNOWN_NAME
from rnn_jax.data.vocabulary import PAD, SPECIAL_NAMES, Vocabulary
from rnn_jax.durable import write_whole
from rnn_jax.errors import UserError

VOCABULARY, RATIOS = "vocabulary.txt", "log_count_ratios.npz"


class TextPreprocessor(NamedTuple):
    """The words that a network knows, and the log-count ratios that it reads, if any."""

    vocabulary: Vocabulary
    ratios: LogCountRatios | None = None

    def files(self) -> dict[str, Callable[[Path], None]]:
        """Writers: `vocabulary.txt`, a word a line, and `log_count_ratios.npz` where there are any."""
        words = "".join(word + "\n" for word in self.vocabulary.words)
        writers: dict[str, Callable[[Path], None]] = {VOCABULARY: lambda path: write_whole(path, words)}
        if self.ratios is not None:
            writers[RATIOS] = self.ratios.write
        return writers

    def row_names(self) -> list[str]:
        """The words by index, as a tokenizer calls them: a text begins where another has ended."""
        return [SPECIAL_NAMES[PAD], END, UNKNOWN_NAME, *self.vocabulary.words]

    @classmethod
    def read(cls, directory: Path, with_ratios: bool) -> "TextPreprocessor":
        """Reads them from the directory of a run.

        Raises:
            UserError: if a file is missing or damaged.
        """
        try:
            file = directory / VOCABULARY
            vocabulary = Vocabulary(file.read_text(encoding="utf-8").splitlines())
            file = directory / RATIOS
            return cls(vocabulary, LogCountRatios.read(file) if with_ratios else None)
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error) as error:
            raise UserError(f"{file} cannot be read ({error}): train the run again") from error
