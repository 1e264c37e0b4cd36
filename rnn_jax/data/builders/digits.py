"""Handwritten digits as images."""

import gzip
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import tensorflow_datasets as tfds
from numpy.typing import NDArray

from rnn_jax.errors import UserError

URL = "https://storage.googleapis.com/cvdf-datasets/mnist"
MAGIC = {1: b"\0\0\x08\1", 3: b"\0\0\x08\3"}  # of bytes in one and in three dimensions


class Mnist(tfds.core.GeneratorBasedBuilder, skip_registration=True):  # type: ignore[call-arg]
    """MNIST as TFDS's own builder makes it, which needs TensorFlow to write the images."""

    name = "mnist"
    VERSION = tfds.core.Version("3.0.1")
    FILES: ClassVar[dict[str, str]] = {
        f"{split}_{kind}": f"{URL}/{file}-{kind}-idx{dimensions}-ubyte.gz"
        for split, file in (("train", "train"), ("test", "t10k"))
        for kind, dimensions in (("images", 3), ("labels", 1))
    }

    def _info(self) -> tfds.core.DatasetInfo:
        features = {
            "image": tfds.features.Image(shape=(28, 28, 1)),
            "label": tfds.features.ClassLabel(num_classes=10),
        }
        return tfds.core.DatasetInfo(
            builder=self,
            description="MNIST: handwritten digits of 28 × 28 pixels (Y. LeCun et al., 1998).",
            features=tfds.features.FeaturesDict(features),
            homepage="https://storage.googleapis.com/cvdf-datasets/mnist",
        )

    def _split_generators(self, dl_manager: tfds.download.DownloadManager) -> dict[str, Any]:
        paths = dl_manager.download(self.FILES)
        arrays = {name: read_idx(Path(path)) for name, path in paths.items()}
        return {
            split: self._generate_examples(arrays[f"{split}_images"], arrays[f"{split}_labels"])
            for split in ("train", "test")
        }

    def _generate_examples(
        self, images: NDArray[np.uint8], labels: NDArray[np.uint8]
    ) -> Iterator[tuple[int, dict[str, Any]]]:
        for number, (image, label) in enumerate(zip(images, labels, strict=True)):
            yield number, {"image": png(image), "label": int(label)}


def read_idx(path: Path) -> NDArray[np.uint8]:
    """An array of bytes in the format of MNIST: two zeros, type, dimensions; sizes; content."""
    with gzip.open(path) as file:
        content = file.read()
    dimensions = content[3]
    if content[:4] != MAGIC.get(dimensions):
        raise UserError(f"{path} holds no bytes in the format of MNIST: fetch it again")
    start = 4 + 4 * dimensions
    return np.frombuffer(content, np.uint8, offset=start).reshape(np.frombuffer(content[4:start], ">u4"))


def png(image: NDArray[np.uint8]) -> io.BytesIO:
    """A grey image as a file.

    Raises:
        UserError: if Pillow is not installed.
    """
    try:
        from PIL import Image
    except ImportError as error:
        raise UserError("images need Pillow: pip install pillow") from error
    file = io.BytesIO()
    Image.fromarray(image).save(file, "PNG")
    file.seek(0)
    return file
