"""Photographs with captions."""

import hashlib
import io
import os
import zipfile

import numpy as np
import pytest
from PIL import Image

from rnn_jax.data import preparing
from rnn_jax.data.builders.photographs import SENTENCES, SPLITS, Flickr8kSmall
from rnn_jax.data.prepared import data_directory, is_prepared, read_examples
from rnn_jax.data.sources.photographs import (
    COLOURS,
    FOLDER,
    PhotographSettings,
    load,
    read_photograph,
    synthetic,
)
from rnn_jax.errors import UserError

SHADES = (40, 120, 220)


def jpeg(shade):
    """Wider than high: a square in the middle, of another shade than the sides."""
    pixels = np.full((60, 100, 3), 255 - shade, np.uint8)
    pixels[:, 20:80] = shade
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=95)
    return file.getvalue()


@pytest.fixture
def files(tmp_path, monkeypatch):
    folder = tmp_path / "files"
    folder.mkdir()
    names = {split: [f"{split}{i}.jpg" for i in range(3)] for split in SPLITS}
    with zipfile.ZipFile(folder / "Flickr8k_Dataset.zip", "w") as archive:
        for own in names.values():
            for name, shade in zip(own, SHADES, strict=True):
                archive.writestr(f"Flicker8k_Dataset/{name}", jpeg(shade))
    with zipfile.ZipFile(folder / "Flickr8k_text.zip", "w") as archive:
        for split, part in SPLITS.items():
            archive.writestr(f"Flickr_8k.{part}.txt", "\n".join(names[split]) + "\n")
        every = [name for own in names.values() for name in own]
        lines = (f"{name}#{i}\t{name} , {i} .\n" for name in every for i in range(5))
        archive.writestr(SENTENCES, "".join(lines))
    sums = {
        name: hashlib.md5((folder / url.rsplit("/")[-1]).read_bytes()).hexdigest()
        for name, url in Flickr8kSmall.FILES.items()
    }
    monkeypatch.setattr(Flickr8kSmall, "MD5", sums)
    return folder


def test_what_is_prepared_is_what_the_files_hold(files, tmp_path):
    preparing.prepare("flickr8k_small", str(tmp_path), str(files))
    data = load(PhotographSettings(), str(tmp_path))
    assert (data.name, *(len(part.captions) for part in data[1:])) == ("flickr8k_small", 3, 3, 3)
    for part in data[1:]:
        assert part.pixels.shape == (3, 96, 96, 3)
        for pixels, captions in zip(part.pixels, part.captions, strict=True):
            name = captions[0].split()[0]
            assert captions == [f"{name} , {i} ." for i in range(5)]
            assert np.abs(pixels[:, 4:-4] - float(SHADES[int(name[-5])])).max() < 12  # the middle alone


def test_another_file_than_the_published_one(files, tmp_path):
    path = files / "Flickr8k_text.zip"
    path.write_bytes(path.read_bytes() + b"!")
    with pytest.raises(UserError, match=r"did not arrive whole .* another checksum"):
        preparing.prepare("flickr8k_small", str(tmp_path), str(files))


def test_ones_own_are_cut_like_those_of_the_dataset(tmp_path):
    (tmp_path / "own.jpg").write_bytes(jpeg(120))
    found = read_photograph(tmp_path / "own.jpg")
    assert found.shape == (96, 96, 3)
    assert np.abs(found - 120.0).max() < 12
    turned = Image.open(tmp_path / "own.jpg").rotate(90, expand=True)
    exif = turned.getexif()
    exif[0x0112] = 6  # to be turned by a quarter, says the camera
    turned.save(tmp_path / "turned.jpg", exif=exif, quality=95)
    assert np.abs(read_photograph(tmp_path / "turned.jpg") - 120.0).max() < 12
    (tmp_path / "text.jpg").write_text("no photograph")
    with pytest.raises(UserError, match=r"text\.jpg cannot be read as an image"):
        read_photograph(tmp_path / "text.jpg")


def test_made_up_pictures_are_of_what_is_said(tmp_path):
    data = load(PhotographSettings(), str(tmp_path))
    assert (data.name, *(len(part.captions) for part in data[1:])) == ("synthetic", 320, 60, 60)
    found = synthetic(20, 7)
    for pixels, captions in zip(found.pixels, found.captions, strict=True):
        assert len(captions) == 5
        colour = captions[0].split()[1]
        near = np.abs(pixels - np.array(COLOURS[colour], float)).max(axis=-1) < 45
        assert near.mean() > 0.01
    with pytest.raises(UserError, match="prepare_data --dataset flickr8k_small"):
        load(PhotographSettings(dataset="flickr8k_small"), str(tmp_path))


def test_the_real_ones():
    folder = data_directory(os.environ.get("TFDS_DATA_DIR")) / FOLDER
    if not is_prepared(folder):
        pytest.skip("not prepared: set TFDS_DATA_DIR")
    examples = read_examples(folder, "test")
    assert len(examples) == 1000
    assert {each["image"].shape for each in examples} == {(96, 96, 3)}
    assert {len(each["captions"]) for each in examples} == {5}
