"""Sentences in two languages."""

import gzip
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import tensorflow_datasets as tfds

URL = "https://raw.githubusercontent.com/multi30k/dataset/a3d2e0d26b56f3846f66a952536ffed4e401d05a/data/task1/raw"
SPLITS = {
    "train": "train",
    "validation": "val",
    "test": "test_2016_flickr",
    "test_2017_flickr": "test_2017_flickr",
    "test_2017_mscoco": "test_2017_mscoco",
}
LANGUAGES = ("de", "en")


class Multi30k(tfds.core.GeneratorBasedBuilder, skip_registration=True):  # type: ignore[call-arg]
    """Multi30k, German and English: a file a split and language, a sentence a line."""

    name = "multi30k"
    VERSION = tfds.core.Version("1.0.0")
    BUILDER_CONFIGS: ClassVar[list[Any]] = [
        tfds.core.BuilderConfig(name="de_to_en", version=tfds.core.Version("1.0.0"))
    ]
    FILES: ClassVar[dict[str, str]] = {
        f"{split}.{language}": f"{URL}/{file}.{language}.gz"
        for split, file in SPLITS.items()
        for language in LANGUAGES
    }

    def _info(self) -> tfds.core.DatasetInfo:
        return tfds.core.DatasetInfo(
            builder=self,
            description="What photographs show in a sentence, translated (D. Elliott et al., 2016).",
            features=tfds.features.FeaturesDict({language: tfds.features.Text() for language in LANGUAGES}),
            homepage="https://github.com/multi30k/dataset",
            license="for non-commercial use",
        )

    def _split_generators(self, dl_manager: tfds.download.DownloadManager) -> dict[str, Any]:
        paths = {name: Path(path) for name, path in dl_manager.download(self.FILES).items()}
        return {
            split: self._generate_examples(*(paths[f"{split}.{language}"] for language in LANGUAGES))
            for split in SPLITS
        }

    def _generate_examples(self, *paths: Path) -> Iterator[tuple[int, dict[str, Any]]]:
        lines = (gzip.decompress(path.read_bytes()).decode("utf-8").splitlines() for path in paths)
        for number, pair in enumerate(zip(*lines, strict=True)):
            yield number, dict(zip(LANGUAGES, (text.strip() for text in pair), strict=True))
