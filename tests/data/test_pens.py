"""What people have written with a pen: digits, and characters."""

import os
import pickle
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from rnn_jax.data import preparing
from rnn_jax.data.builders.pens import OmniglotStrokes, PenDigits
from rnn_jax.data.pickled_arrays import read_arrays
from rnn_jax.data.prepared import data_directory, is_prepared, read_examples
from rnn_jax.data.sources import drawings, pen_digits
from rnn_jax.data.sources.drawings import ENDS, LIFTED, ON, DrawingSettings, lines
from rnn_jax.data.sources.pen_digits import PenDigitSettings, resample
from rnn_jax.errors import UserError


def test_paths_are_resampled_along_the_way(rng):
    """Equally far from each other on the path, in a frame that they fill; more points change nothing."""
    path = np.cumsum(rng.normal(size=(6, 2)), axis=0)
    shares = np.linspace(0, 1, 10, endpoint=False)[:, None]
    pieces = [a + shares * (b - a) for a, b in pairwise(path)]
    denser = np.concatenate([*pieces, path[-1:]])
    np.testing.assert_allclose(resample(path), resample(denser), atol=1e-3)
    line = np.array([[0.0, 0.0], [70.0, 70.0]])
    np.testing.assert_allclose(resample(line), np.linspace(0, 100, 8)[:, None].repeat(2, 1), atol=1e-4)
    np.testing.assert_allclose(resample(path), resample(3 * path + 7), atol=1e-3)
    with pytest.raises(ValueError, match="fills no frame"):
        resample(np.array([[0.0, 1.0], [5.0, 1.0]]))


def test_made_up_signs_are_those_of_all(tmp_path):
    data = pen_digits.load(PenDigitSettings(), str(tmp_path))
    assert (data.name, len(data.train) + len(data.validation), len(data.test)) == ("synthetic", 600, 200)
    assert {each.shape for each in data.train.sequences} == {(8, 2)}
    extents = np.array([np.ptp(each, axis=0) for each in data.test.sequences])
    np.testing.assert_allclose(extents, 100, atol=1e-4)
    with pytest.raises(UserError, match="prepare_data --dataset pendigits"):
        pen_digits.load(PenDigitSettings(dataset="pendigits"), str(tmp_path))


def test_digits_are_prepared_as_they_are_published(tmp_path, published, rng):
    folder, contents = tmp_path / "files", {}
    folder.mkdir()
    points = {split: rng.integers(0, 101, (100, 16)) for split in PenDigits.FILES}
    for split, url in PenDigits.FILES.items():
        text = "".join(
            ",".join([*map(str, row), "0" * (i % 10) + "1" + "0" * (9 - i % 10)]) + "\n"
            for i, row in enumerate(points[split])
        )
        contents[url] = url.rsplit("/")[-1], text.encode()
        (folder / contents[url][0]).write_text(text)
    published(PenDigits, contents)
    preparing.prepare("pendigits", str(tmp_path), str(folder))
    data = pen_digits.load(PenDigitSettings(), str(tmp_path))
    assert (data.name, len(data.train), len(data.validation), len(data.test)) == ("pendigits", 90, 10, 100)
    known = {row.reshape(8, 2).astype(np.float32).tobytes(): i % 10 for i, row in enumerate(points["test"])}
    found = zip(data.test.sequences, data.test.labels, strict=True)
    assert all(known[points.tobytes()] == label for points, label in found)


def stored(path, **arrays):
    """As NumPy saves arrays of different lengths together."""
    objects = {}
    for name, own in arrays.items():
        objects[name] = np.empty(len(own), object)
        objects[name][:] = own
    np.savez(path, **objects)


def test_drawings_are_prepared_as_they_are_published(tmp_path, published, rng):
    (tmp_path / "files").mkdir()
    file = tmp_path / "files" / "omniglot.npz"
    made = {
        name: [rng.integers(-600, 600, (n, 3)).astype(np.int16) for n in rng.integers(3, 9, 20)]
        for name in ("train", "valid", "test")
    }
    for each in (each for own in made.values() for each in own):
        each[0], each[:, 2], each[-1, 2] = 0, 0, 1
    stored(file, **made)
    [url] = OmniglotStrokes.FILES.values()
    published(OmniglotStrokes, {url: ("omniglot.npz", file.read_bytes())})
    preparing.prepare("omniglot_strokes", str(tmp_path), str(file.parent))
    data = drawings.load(DrawingSettings(), str(tmp_path))
    assert (data.name, *map(len, data[1:])) == ("omniglot_strokes", 20, 20, 20)
    lengths = sorted(len(each) - 1 for each in made["valid"])
    assert sorted(len(each) for each in data.validation) == lengths
    by_sum = {tuple(each[1:, :2].sum(axis=0)) for each in made["valid"]}
    for each in data.validation:
        assert each[-1, 2] == ENDS
        rounded = np.round(6 * each[:, :2].astype(np.float64).sum(axis=0))
        assert min(np.abs(rounded - own).max() for own in by_sum) <= 3 * len(each)
    again = drawings.load(DrawingSettings(), str(tmp_path))
    assert all((a == b).all() for a, b in zip(data.test, again.test, strict=True))


def test_a_file_of_arrays_holds_nothing_else(tmp_path):
    """A pickle that would run a function is refused."""
    stored(tmp_path / "good.npz", test=[np.arange(3), np.eye(2)])
    first, second = read_arrays(tmp_path / "good.npz", "test")
    np.testing.assert_array_equal(first, np.arange(3))
    np.testing.assert_array_equal(second, np.eye(2))

    class Evil:
        def __reduce__(self):
            return os.system, ("touch evil",)

    stored(tmp_path / "bad.npz", test=[Evil()])
    with pytest.raises(pickle.UnpicklingError, match=r"holds \w+\.system, and not arrays alone"):
        read_arrays(tmp_path / "bad.npz", "test")


def test_lines_are_cut_where_the_pen_is_lifted(rng):
    drawing = rng.normal(size=(9, 3))
    drawing[:, 2] = [ON, ON, LIFTED, LIFTED, ON, LIFTED, ON, ON, ENDS]
    found = lines(drawing)
    places = np.concatenate([np.zeros((1, 2)), np.cumsum(drawing[:, :2] * (1, -1), axis=0)])
    starts = [0, 4, 5, 7]
    assert [len(each) for each in found] == [4, 1, 2, 3]
    for start, each in zip(starts, found, strict=True):
        np.testing.assert_allclose(each, places[start : start + len(each)])


def test_made_up_drawings_come_to_an_end(tmp_path):
    data = drawings.load(DrawingSettings(), str(tmp_path))
    assert (data.name, *map(len, data[1:])) == ("synthetic", 1000, 200, 200)
    assert all(each[-1, 2] == ENDS and (each[:-1, 2] != ENDS).all() for each in data.train)
    assert {len(lines(each)) for each in data.train} == {1, 2}
    with pytest.raises(UserError, match="prepare_data --dataset omniglot_strokes"):
        drawings.load(DrawingSettings(dataset="omniglot_strokes"), str(tmp_path))


@pytest.mark.parametrize(
    ("source", "settings", "sizes"),
    [(pen_digits, PenDigitSettings(), (7494, 3498)), (drawings, DrawingSettings(), (30000, 1000))],
)
def test_the_real_ones(source, settings, sizes):
    folder = data_directory(os.environ.get("TFDS_DATA_DIR")) / source.FOLDER
    if not is_prepared(folder):
        pytest.skip("not prepared: set TFDS_DATA_DIR")
    assert tuple(len(read_examples(Path(folder), split)) for split in ("train", "test")) == sizes
    data = source.load(settings, str(folder.parents[1]))
    if source is pen_digits:
        extents = {tuple(np.ptp(each, axis=0)) for each in data.train.sequences}
        assert extents == {(100.0, 100.0)}  # as `resample` makes them
    else:
        offsets = np.concatenate([each[:, :2] for each in data.test])
        assert 8 < offsets.std() < 10  # pixels
        assert all(each[-1, 2] == ENDS for each in data.test)
