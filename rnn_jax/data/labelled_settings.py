"""Which labelled texts a classifier learns from."""

import os
from dataclasses import dataclass

from rnn_jax.data.reading import ReadingSettings
from rnn_jax.errors import UserError
from rnn_jax.settings import require

PARTS = ("train", "validation", "test")


@dataclass(frozen=True)
class LabelledSettings(ReadingSettings):
    """Which texts, and what is read of them."""

    dataset: str = "files"
    """files, for --train and the like, or a data set of TFDS with texts and labels: tfds:ag_news_subset,
    tfds:glue/sst2."""
    train: str = ""
    """Texts and labels to train on: a .csv, .tsv, .jsonl or .parquet file, or a folder with a subfolder of
    .txt files for each label."""
    validation: str = ""
    """Those to choose the best epoch on; by default a tenth of the training texts is held out."""
    test: str = ""
    """Those to test on, once, in the end; by default another tenth is held out."""
    text_column: str = ""
    """Column with the text; by default the one that is called text, or the like; of a TFDS data set, its own
    input, or all features that are texts, one after the other by name."""
    label_column: str = ""
    """Column with the label; by default the one that is called label, or the like."""

    def check(self) -> None:
        """Raises UserError unless there is one source."""
        own = self.dataset == "files"
        known = own or (self.dataset.startswith("tfds:") and len(self.dataset) > len("tfds:"))
        require(known, "dataset", self.dataset, "must be files, or tfds:NAME")
        if own and not self.train:
            raise UserError("name texts to learn from: --train FILE, or --dataset tfds:NAME")
        for name in PARTS:
            value = getattr(self, name)
            require(own or not value, name, value, "goes with --dataset files")
        named = [os.path.abspath(value) for name in PARTS if (value := getattr(self, name))]
        if len(set(named)) < len(named):
            raise UserError("--train, --validation and --test must be files of their own")
        require(not (self.refit and self.validation), "refit", True, "needs no --validation: leave that out")
