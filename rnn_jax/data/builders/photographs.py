"""Photographs with captions."""

import hashlib
import io
import zipfile
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import tensorflow_datasets as tfds

from rnn_jax.data.sources.images import middle
from rnn_jax.data.sources.photographs import SIZE

URL = "https://github.com/jbrownlee/Datasets/releases/download/Flickr8k"
QUALITY = 85  # of the small photographs, as JPEG
SPLITS = {"train": "trainImages", "validation": "devImages", "test": "testImages"}
SENTENCES = "Flickr8k.token.txt"


class Flickr8kSmall(tfds.core.GeneratorBasedBuilder, skip_registration=True):  # type: ignore[call-arg]
    """Flickr8k at 96 by 96 pixels: the middle of each photograph, and its five captions.

    Published are the MD5 sums of its two archives, 1.1 GB, which are compared here.
    """

    name = "flickr8k_small"
    VERSION = tfds.core.Version("1.0.0")
    MANUAL_DOWNLOAD_INSTRUCTIONS = "Flickr8k_Dataset.zip and Flickr8k_text.zip"
    FILES: ClassVar[dict[str, str]] = {
        "photographs": f"{URL}/Flickr8k_Dataset.zip",
        "texts": f"{URL}/Flickr8k_text.zip",
    }
    MD5: ClassVar[dict[str, str]] = {
        "photographs": "f18a1e2920de5bd84dae7cf08ec78978",
        "texts": "bf6c1abcb8e4a833b7f922104de18627",
    }

    def _info(self) -> tfds.core.DatasetInfo:
        features = {
            "image": tfds.features.Image(shape=(SIZE, SIZE, 3), encoding_format="jpeg"),
            "captions": tfds.features.Sequence(tfds.features.Text()),
            "image/filename": tfds.features.Text(),
        }
        return tfds.core.DatasetInfo(
            builder=self,
            description="Photographs of 96 × 96 pixels with five captions each (M. Hodosh et al., 2013).",
            features=tfds.features.FeaturesDict(features),
            homepage="https://hockenmaier.cs.illinois.edu/8k-pictures.html",
            license="the photographs are their owners', for research alone",
        )

    def _split_generators(self, dl_manager: tfds.download.DownloadManager) -> dict[str, Any]:
        paths = self._fetch(dl_manager)
        for name, path in paths.items():
            with path.open("rb") as file:
                found = hashlib.file_digest(file, "md5").hexdigest()
            if found != self.MD5[name]:
                raise tfds.download.DownloadError(f"{self.FILES[name]} has another checksum: {found}")
        captions = defaultdict(list)
        with zipfile.ZipFile(paths["texts"]) as archive:
            for line in archive.read(SENTENCES).decode("utf-8").splitlines():
                place, _, text = line.partition("\t")
                captions[place.partition("#")[0]].append(text.strip())
            names = {
                split: archive.read(f"Flickr_8k.{part}.txt").decode("utf-8").split()
                for split, part in SPLITS.items()
            }
        return {
            split: self._generate_examples(paths["photographs"], {name: captions[name] for name in own})
            for split, own in names.items()
        }

    def _fetch(self, dl_manager: tfds.download.DownloadManager) -> dict[str, Path]:
        """The archives: TFDS finds files of unknown SHA-256 in no folder by itself."""
        try:
            folder = Path(dl_manager.manual_dir)
        except AssertionError:  # there is none
            return {name: Path(path) for name, path in dl_manager.download(self.FILES).items()}
        return {name: folder / url.rsplit("/")[-1] for name, url in self.FILES.items()}

    def _generate_examples(
        self, path: Path, captions: dict[str, list[str]]
    ) -> Iterator[tuple[str, dict[str, Any]]]:
        with zipfile.ZipFile(path) as archive:
            for name, own in captions.items():
                image = small(archive.read(f"Flicker8k_Dataset/{name}"))
                yield name, {"image": image, "captions": own, "image/filename": name}


def small(photograph: bytes) -> io.BytesIO:
    """The middle of a photograph, at 96 by 96 pixels."""
    from PIL import Image

    with Image.open(io.BytesIO(photograph)) as image:
        pixels = middle(np.asarray(image.convert("RGB")) / 255, SIZE)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=QUALITY)
    file.seek(0)
    return file
