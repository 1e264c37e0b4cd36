"""What people write with a pen."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import tensorflow_datasets as tfds

from rnn_jax.data.pickled_arrays import read_arrays

DIGITS = "https://raw.githubusercontent.com/1nflktd/RedeNeuralGoIA2/8f9835b47a136471f90943f13bf03ce076da5557"
DRAWINGS = (
    "https://raw.githubusercontent.com/hardmaru/sketch-rnn-datasets/7c854dee76090aa18c321c7af2cede815bbd475e"
)


class PenDigits(tfds.core.GeneratorBasedBuilder, skip_registration=True):  # type: ignore[call-arg]
    """Digits of eight points each; lines of sixteen numbers, and a 1 among ten digits for the label."""

    name = "pendigits"
    VERSION = tfds.core.Version("1.0.0")
    FILES: ClassVar[dict[str, str]] = {"train": f"{DIGITS}/pendigits.tra", "test": f"{DIGITS}/pendigits.tes"}

    def _info(self) -> tfds.core.DatasetInfo:
        features = {
            "points": tfds.features.Tensor(shape=(8, 2), dtype=np.uint8),
            "label": tfds.features.ClassLabel(num_classes=10),
        }
        return tfds.core.DatasetInfo(
            builder=self,
            description="Digits written with a pen on a tablet (F. Alimoglu and E. Alpaydin, 1997).",
            features=tfds.features.FeaturesDict(features),
            homepage="https://archive.ics.uci.edu/dataset/81",
            license="CC BY 4.0",
        )

    def _split_generators(self, dl_manager: tfds.download.DownloadManager) -> dict[str, Any]:
        paths = dl_manager.download(self.FILES)
        return {split: self._generate_examples(Path(path)) for split, path in paths.items()}

    def _generate_examples(self, path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
        for number, line in enumerate(path.read_text(encoding="ascii").split()):
            *numbers, label = line.split(",")
            yield number, {"points": np.array(numbers, np.uint8).reshape(8, 2), "label": label.index("1")}


class OmniglotStrokes(tfds.core.GeneratorBasedBuilder, skip_registration=True):  # type: ignore[call-arg]
    """Characters of fifty alphabets as the way of a pen: offsets, and whether it is lifted."""

    name = "omniglot_strokes"
    VERSION = tfds.core.Version("1.0.0")
    FILES: ClassVar[dict[str, str]] = {"all": f"{DRAWINGS}/omniglot/omniglot.npz"}
    SPLITS: ClassVar[dict[str, str]] = {"train": "train", "validation": "valid", "test": "test"}

    def _info(self) -> tfds.core.DatasetInfo:
        strokes = tfds.features.Tensor(shape=(None, 3), dtype=np.int16, doc="dx, dy, pen")
        return tfds.core.DatasetInfo(
            builder=self,
            description="Omniglot as pen strokes (B. Lake et al., 2015), cut by D. Ha and D. Eck (2017).",
            features=tfds.features.FeaturesDict({"strokes": strokes}),
            homepage="https://github.com/hardmaru/sketch-rnn-datasets",
            license="MIT",
        )

    def _split_generators(self, dl_manager: tfds.download.DownloadManager) -> dict[str, Any]:
        path = Path(dl_manager.download(self.FILES)["all"])
        return {
            split: self._generate_examples(read_arrays(path, name)) for split, name in self.SPLITS.items()
        }

    def _generate_examples(self, drawings: Any) -> Iterator[tuple[int, dict[str, Any]]]:
        for number, strokes in enumerate(drawings):
            yield number, {"strokes": strokes}
