"""Pieces of genomes."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import tensorflow_datasets as tfds

from rnn_jax.data.fasta import read_pieces

NAME = "cnn_promoters"
URL = "https://raw.githubusercontent.com/solovictor/CNNPromoterData/b4d2949e9bc5206f3049b35a488b036125ccc653"


def _config(name: str) -> list[Any]:
    return [tfds.core.BuilderConfig(name=name, version=tfds.core.Version("1.0.0"))]


class Promoters(tfds.core.GeneratorBasedBuilder, skip_registration=True):  # type: ignore[call-arg]
    """Promoters of a genome, label 1, and other pieces of it, label 0, all in `train`."""

    VERSION = tfds.core.Version("1.0.0")
    FILES: ClassVar[dict[str, str]]  # by label

    def _info(self) -> tfds.core.DatasetInfo:
        features = {
            "id": tfds.features.Text(),
            "label": tfds.features.ClassLabel(num_classes=2),
            "sequence": tfds.features.Text(),
        }
        return tfds.core.DatasetInfo(
            builder=self,
            description="Promoters against other pieces of a genome (R. Umarov and V. Solovyev, 2017).",
            features=tfds.features.FeaturesDict(features),
            homepage="https://github.com/solovictor/CNNPromoterData",
        )

    def _split_generators(self, dl_manager: tfds.download.DownloadManager) -> dict[str, Any]:
        paths = dl_manager.download(self.FILES)
        return {"train": self._generate_examples({label: Path(path) for label, path in paths.items()})}

    def _generate_examples(self, paths: dict[str, Path]) -> Iterator[tuple[str, dict[str, Any]]]:
        for label, path in paths.items():
            for number, (name, bases) in enumerate(read_pieces(path.read_text(encoding="ascii"))):
                yield f"{label} {number}", {"id": name, "label": int(label), "sequence": bases}


class Ecoli(Promoters, skip_registration=True):  # type: ignore[call-arg]
    """Of Escherichia coli: 839 of σ70 promoters, 3,000 others."""

    name = NAME
    BUILDER_CONFIGS: ClassVar[list[Any]] = _config("ecoli")
    FILES: ClassVar[dict[str, str]] = {"0": f"{URL}/Ecoli_non_prom.fa", "1": f"{URL}/Ecoli_prom.fa"}


class ArabidopsisTata(Promoters, skip_registration=True):  # type: ignore[call-arg]
    """Of Arabidopsis thaliana: 1,497 promoters with a TATA box, 2,879 others."""

    name = NAME
    BUILDER_CONFIGS: ClassVar[list[Any]] = _config("arabidopsis_tata")
    FILES: ClassVar[dict[str, str]] = {
        "0": f"{URL}/Arabidopsis_non_prom.fa",
        "1": f"{URL}/Arabidopsis_tata.fa",
    }
