"""Texts for language models: one example a split, which is the whole text."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import tensorflow_datasets as tfds

WIKITEXT2 = (
    "https://raw.githubusercontent.com/pytorch/examples/77f55b912142e11fcfdf5b530231fb9c52f181e8"
    "/word_language_model/data/wikitext-2"
)


class LongText(tfds.core.GeneratorBasedBuilder, skip_registration=True):  # type: ignore[call-arg]
    """A text, `{"text": bytes}`, of splits `train`, `validation` and `test`."""

    VERSION = tfds.core.Version("1.0.0")
    FILES: ClassVar[dict[str, str]]  # what is downloaded, by name
    description: ClassVar[str]
    homepage: ClassVar[str]

    def _info(self) -> tfds.core.DatasetInfo:
        features = tfds.features.FeaturesDict({"text": tfds.features.Text()})
        return tfds.core.DatasetInfo(
            builder=self, description=self.description, features=features, homepage=self.homepage
        )

    def _split_generators(self, dl_manager: tfds.download.DownloadManager) -> dict[str, Any]:
        paths = dl_manager.download(self.FILES)
        # Line ends stay as they are.
        texts = {name: Path(path).read_bytes().decode() for name, path in paths.items()}
        return {split: self._generate_examples(text) for split, text in self.cut(texts).items()}

    def _generate_examples(self, text: str) -> Iterator[tuple[str, dict[str, str]]]:
        yield "text", {"text": text}

    @staticmethod
    def cut(texts: dict[str, str]) -> dict[str, str]:
        """The splits, from the files."""
        return texts


class TinyShakespeare(LongText, skip_registration=True):  # type: ignore[call-arg]
    """Plays of Shakespeare: 40,000 lines, cut after 90 % and 95 % of the characters as TFDS cuts them."""

    name = "tiny_shakespeare"
    FILES: ClassVar[dict[str, str]] = {
        "all": "https://raw.githubusercontent.com/karpathy/char-rnn/master/data/tinyshakespeare/input.txt"
    }
    description = "Plays of Shakespeare, 40,000 lines (A. Karpathy, 2015)."
    homepage = "https://github.com/karpathy/char-rnn"

    @staticmethod
    def cut(texts: dict[str, str]) -> dict[str, str]:
        """The splits, by characters."""
        text = texts["all"]
        first = int(len(text) * 0.9)
        second = first + int((len(text) - first) * 0.5)
        return {"train": text[:first], "validation": text[first:second], "test": text[second:]}


class WikiText2(LongText, skip_registration=True):  # type: ignore[call-arg]
    """Good articles of the English Wikipedia, as words and blanks, with `<unk>` for rare ones."""

    name = "wikitext2"
    FILES: ClassVar[dict[str, str]] = {
        split: f"{WIKITEXT2}/{file}"
        for split, file in (("train", "train.txt"), ("validation", "valid.txt"), ("test", "test.txt"))
    }
    description = "WikiText-2: good articles of the English Wikipedia, as words (S. Merity et al., 2016)."
    homepage = "https://arxiv.org/abs/1609.07843"
