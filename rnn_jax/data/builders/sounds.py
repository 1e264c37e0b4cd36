"""Recordings."""

import io
import re
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import tensorflow_datasets as tfds
from scipy.io import wavfile

RECORDING = re.compile(r"[^/]+/recordings/((\d)_[a-z]+_\d+\.wav)")


class SpokenDigit(tfds.core.GeneratorBasedBuilder, skip_registration=True):  # type: ignore[call-arg]
    """The Free Spoken Digit Dataset as TFDS's own builder makes it, whose features need TensorFlow."""

    name = "spoken_digit"
    VERSION = tfds.core.Version("1.0.9")
    FILES: ClassVar[dict[str, str]] = {
        "archive": "https://github.com/Jakobovski/free-spoken-digit-dataset/archive/v1.0.9.tar.gz"
    }

    def _info(self) -> tfds.core.DatasetInfo:
        features = {
            "audio": tfds.features.Tensor(shape=(None,), dtype=np.int64),
            "audio/filename": tfds.features.Text(),
            "label": tfds.features.ClassLabel(num_classes=10),
        }
        return tfds.core.DatasetInfo(
            builder=self,
            description="Spoken digits at 8 kHz (Z. Jackson, 2016).",
            features=tfds.features.FeaturesDict(features),
            homepage="https://github.com/Jakobovski/free-spoken-digit-dataset",
            license="CC BY-SA 4.0",
        )

    def _split_generators(self, dl_manager: tfds.download.DownloadManager) -> dict[str, Any]:
        return {"train": self._generate_examples(Path(dl_manager.download(self.FILES)["archive"]))}

    def _generate_examples(self, archive: Path) -> Iterator[tuple[str, dict[str, Any]]]:
        with tarfile.open(archive) as tar:
            for member in tar:
                content = tar.extractfile(member)
                if content is None or (match := RECORDING.fullmatch(member.name)) is None:
                    continue
                rate, sound = wavfile.read(io.BytesIO(content.read()))
                if rate != 8000 or sound.ndim != 1:
                    raise ValueError(f"{member.name} is of {rate} Hz, {sound.shape}")
                name = match[1]
                example = {"audio": sound.astype(np.int64), "audio/filename": name, "label": int(match[2])}
                yield name.removesuffix(".wav"), example
