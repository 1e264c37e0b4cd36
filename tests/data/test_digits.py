"""Digits: as TFDS prepares them, as scikit-learn has them, and as somebody drew them."""

import gzip
import struct

import numpy as np
import pytest
from PIL import Image, ImageDraw

from rnn_jax.data import preparing
from rnn_jax.data.builders.digits import Mnist
from rnn_jax.data.prepared import read_examples
from rnn_jax.data.sources.digits import LABELS, DigitSettings, in_order, load, mnist
from rnn_jax.data.sources.images import read_digit
from rnn_jax.errors import UserError

SHAPES = {"train": (36, 28, 28), "test": (5, 28, 28)}


def idx(array):
    sizes = struct.pack(f">{array.ndim}I", *array.shape)
    return gzip.compress(bytes([0, 0, 8, array.ndim]) + sizes + array.tobytes())


@pytest.fixture
def files(tmp_path, published, rng):
    """A folder with files like MNIST's, which are taken for the published ones, and what they hold."""
    folder = tmp_path / "files"
    folder.mkdir()
    arrays, contents = {}, {}
    for name, url in Mnist.FILES.items():
        split, kind = name.split("_")
        count = SHAPES[split][0]
        images = rng.integers(0, 256, SHAPES[split], np.uint8)
        arrays[name] = images if kind == "images" else (np.arange(count) % 3).astype(np.uint8)
        contents[url] = url.rsplit("/")[-1], idx(arrays[name])
    for file, content in contents.values():
        (folder / file).write_bytes(content)
    published(Mnist, contents)
    return folder, arrays


def test_what_is_prepared_is_what_the_files_hold(files, tmp_path):
    folder, arrays = files
    found = preparing.prepare("mnist", str(tmp_path), str(folder))
    for split in SHAPES:
        examples = read_examples(found, split)
        pairs = {(example["image"].tobytes(), int(example["label"])) for example in examples}
        images, labels = arrays[f"{split}_images"], arrays[f"{split}_labels"]
        assert pairs == {(image.tobytes(), int(label)) for image, label in zip(images, labels, strict=True)}
    training, test = mnist(str(tmp_path))
    assert (training.pixels.shape, test.pixels.shape) == tuple(SHAPES.values())
    assert training.pixels.max() <= 1
    data = load(DigitSettings(), str(tmp_path))
    assert (data.name, len(data.train), len(data.validation), len(data.test)) == ("mnist", 33, 3, 5)


def test_another_file_in_its_place(files, tmp_path, published):
    """Of the right sum, as it is the one that was published, and of the wrong format."""
    folder, _ = files
    contents = {}
    for url in Mnist.FILES.values():
        file = url.rsplit("/")[-1]
        (folder / file).write_bytes(content := gzip.compress(b"<html>nothing here"))
        contents[url] = file, content
    published(Mnist, contents)
    with pytest.raises(UserError, match="in the format of MNIST"):
        preparing.prepare("mnist", str(tmp_path), str(folder))


@pytest.fixture
def no_mnist(monkeypatch, tmp_path):
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path))


def test_without_mnist_the_small_ones(no_mnist):
    data = load(DigitSettings())
    assert (data.name, data.labels) == ("small", LABELS)
    assert sum(map(len, (data.train, data.validation, data.test))) == 1797
    assert data.train.sequences[0].shape == (8, 8)
    every = np.stack([*data.train.sequences, *data.validation.sequences, *data.test.sequences])
    assert len(np.unique(every, axis=0)) == 1797  # none is on two sides, and none is there twice
    assert 0 == every.min() < every.max() == 1
    share = np.bincount(data.validation.labels, minlength=10) / len(data.validation)
    assert abs(share - 0.1).max() < 0.02
    with pytest.raises(UserError, match="mnist is not prepared"):
        load(DigitSettings(dataset="mnist"))


def test_orders(rng):
    images = rng.random((3, 4, 4), np.float32)
    np.testing.assert_array_equal(in_order(images, "rows"), images)
    pixels, permuted = in_order(images, "pixels"), in_order(images, "permuted")
    np.testing.assert_array_equal(pixels[1, :, 0], images[1].ravel())
    assert not np.array_equal(pixels, permuted)
    order = [list(pixels[0, :, 0]).index(value) for value in permuted[0, :, 0]]
    assert sorted(order) == list(range(16))
    np.testing.assert_array_equal(permuted, pixels[:, order])  # the same for all


def drawn(path, size=(300, 200), paper=255, ink=0, at=(40, 60, 90, 160), mode="L"):
    image = Image.new(mode, size, paper)
    ImageDraw.Draw(image).rectangle(at, fill=ink)
    image.save(path)
    return path


def test_an_image_of_ones_own_becomes_one_like_those_of_mnist(tmp_path):
    """In a box of 20 pixels, its shape kept, in the middle; dark on light as light on dark, in any size."""
    first = read_digit(drawn(tmp_path / "a.png"), 28)
    assert first.shape == (28, 28)
    assert first.max() == 1
    rows, columns = (np.flatnonzero(first.any(axis=axis)) for axis in (1, 0))
    assert (len(rows), len(columns)) == (20, 10)
    assert abs(rows.mean() - 13.5) <= 0.5
    assert abs(columns.mean() - 13.5) <= 0.5
    second = read_digit(drawn(tmp_path / "b.png", paper=0, ink=255, at=(200, 10, 250, 110)), 28)
    np.testing.assert_allclose(first, second, atol=1e-6)
    third = read_digit(drawn(tmp_path / "c.png", paper=(250, 250, 250), ink=(9, 9, 9), mode="RGB"), 28)
    np.testing.assert_allclose(first, third, atol=1e-6)
    assert np.count_nonzero(read_digit(tmp_path / "a.png", 8)) == 8 * 4


def test_what_drawing_programs_save_is_read_as_it_looks(tmp_path):
    """Ink on a canvas that lets everything through; and 16 bits a pixel."""
    expected = read_digit(drawn(tmp_path / "a.png"), 28)
    clear = drawn(tmp_path / "b.png", paper=(0, 0, 0, 0), ink=(0, 0, 0, 255), mode="RGBA")
    np.testing.assert_allclose(read_digit(clear, 28), expected, atol=1e-6)
    deep = drawn(tmp_path / "c.png", paper=60_000, ink=500, mode="I;16")
    np.testing.assert_allclose(read_digit(deep, 28), expected, atol=0.02)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda path: drawn(path, paper=(255, 255, 255), ink=(255, 0, 0), mode="RGB"), "is in colour"),
        (lambda path: drawn(path, ink=255), "shows no digit: it is blank"),
        (lambda path: path.write_bytes(b"GIF89a"), "cannot be read as an image"),
        (lambda path: None, "cannot be read as an image"),
    ],
)
def test_what_is_no_image_of_a_digit(tmp_path, make, words):
    path = tmp_path / "image.png"
    make(path)
    with pytest.raises(UserError, match=words):
        read_digit(path, 28)
