"""Where prepared reviews lie, and reading them."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from rnn_jax.data import dataset, imdb, prepared
from rnn_jax.errors import UserError
from tests.data.archives import expected, loaded


def test_data_directory(monkeypatch):
    monkeypatch.setenv("TFDS_DATA_DIR", "/from/environment")
    assert prepared.data_directory("/given") == Path("/given")
    assert prepared.data_directory(None) == Path("/from/environment")
    monkeypatch.setenv("TFDS_DATA_DIR", "")
    assert prepared.data_directory(None) == Path.home() / "tensorflow_datasets"
    monkeypatch.delenv("TFDS_DATA_DIR")
    assert prepared.data_directory(None) == Path.home() / "tensorflow_datasets"
    assert prepared.data_directory("~/here") == Path.home() / "here"


def test_environment_is_read_at_every_call(prepared, tmp_path, monkeypatch):
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path))
    assert not imdb.is_prepared()
    monkeypatch.setenv("TFDS_DATA_DIR", str(prepared))
    assert imdb.is_prepared()
    assert len(imdb.load("test").texts) == 2


def test_is_prepared_is_false_for_whatever_else(tmp_path):
    file = tmp_path / "file"
    file.touch()
    for place in (tmp_path, tmp_path / "missing", file, file / "below"):
        assert not imdb.is_prepared(str(place))


@pytest.mark.parametrize("pattern", ["dataset_info.json", "features.json", "*-train.*", "*-unsupervised.*"])
def test_is_prepared_asks_for_every_file(copy, pattern):
    [file] = (copy / imdb.FOLDER).glob(pattern)
    file.unlink()
    assert not imdb.is_prepared(str(copy))
    assert imdb.is_there(str(copy))
    lacks = pattern.strip("*-.")
    with pytest.raises(
        UserError, match=rf"1\.0\.0 is incomplete, without .*{lacks}.*: move it out of the way"
    ):
        imdb.load("train", str(copy))


def test_what_is_in_another_format_is_said(copy):
    for file in (copy / imdb.FOLDER).glob("*.array_record-*"):
        file.rename(str(file).replace("array_record", "riegeli"))
    assert not imdb.is_prepared(str(copy))
    with pytest.raises(
        UserError, match=r"holds the reviews as riegeli files, and array_record or tfrecord is"
    ):
        imdb.load("train", str(copy))
    with pytest.raises(UserError, match="riegeli"):  # and nothing else is trained on
        dataset.load(dataset.TextSettings(vocabulary_size=9, max_length=5), data_dir=str(copy))


@pytest.mark.parametrize("split", imdb.SPLITS)
def test_what_was_archived_is_loaded(prepared, split):
    assert loaded(split, prepared) == expected(split)


def test_the_same_order_at_every_load(prepared):
    assert imdb.load("train", str(prepared)).texts == imdb.load("train", str(prepared)).texts


def test_needs_no_tensorflow(archive, tmp_path):
    program = (
        "import sys\n"
        "from importlib.machinery import PathFinder\n"  # is not to find TensorFlow, installed or not
        "find = PathFinder.find_spec\n"
        "PathFinder.find_spec = lambda name, *rest: None if name == 'tensorflow' else find(name, *rest)\n"
        "from rnn_jax.data import imdb\n"
        "assert 'tensorflow_datasets' not in sys.modules\n"
        f"imdb.prepare({str(tmp_path)!r}, {str(archive)!r})\n"
        f"print([len(imdb.load(split, {str(tmp_path)!r}).texts) for split in imdb.SPLITS])\n"
        "print([name for name in sys.modules if name.split('.')[0] == 'tensorflow'])"
    )
    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, check=False
    )
    assert run.stdout == "[4, 2, 1]\n[]\n", run.stderr  # and nothing of what TFDS prints
    [warning] = run.stderr.splitlines()
    assert "not the published archive" in warning


def test_unknown_split(prepared):
    with pytest.raises(UserError, match=r"no split 'validation'.*choose one of train, test, unsupervised"):
        imdb.load("validation", str(prepared))


def test_missing_folder(tmp_path):
    with pytest.raises(UserError, match=r"no folder .*nowhere: .* python -m experiments\.prepare_data"):
        imdb.load("train", str(tmp_path / "nowhere"))


def test_empty_folder(tmp_path):
    message = rf"not prepared in {tmp_path}: run python -m experiments\.prepare_data --data-dir {tmp_path}$"
    with pytest.raises(UserError, match=message):
        imdb.load("train", str(tmp_path))


def cut(file):
    file.write_bytes(file.read_bytes()[:-1000])


def flip_a_bit(file):
    # In the middle of the first text: the files have wide margins of zeros, which nobody reads.
    content = bytearray(file.read_bytes())
    content[next(i for i in range(80, len(content)) if content[i])] ^= 1
    file.write_bytes(content)


def clear(file):
    file.write_bytes(b"")


def leave_a_dead_link(file):
    file.unlink()
    file.symlink_to("nowhere")


@pytest.mark.parametrize(
    ("pattern", "damage"),
    [
        ("*-train.*", cut),
        ("*-train.*", flip_a_bit),
        ("*-train.*", clear),
        ("*-train.*", leave_a_dead_link),
        ("dataset_info.json", cut),
        ("dataset_info.json", clear),
        ("features.json", clear),
    ],
)
def test_damaged_file(copy, pattern, damage):
    [file] = (copy / imdb.FOLDER).glob(pattern)
    damage(file)
    with pytest.raises(UserError, match=r"train split in .* is damaged \(.+\): delete that folder and run"):
        imdb.load("train", str(copy))


def test_damage_to_one_split_leaves_the_others(copy):
    [file] = (copy / imdb.FOLDER).glob("*-train.*")
    clear(file)
    assert loaded("test", copy) == expected("test")


@pytest.mark.skipif(
    not imdb.is_prepared(), reason="IMDb is not prepared here: set TFDS_DATA_DIR to a folder with it"
)
@pytest.mark.parametrize(
    ("split", "labels", "size"),
    [
        ("train", {0: 12_500, 1: 12_500}, 33_132_823),
        ("test", {0: 12_500, 1: 12_500}, 32_350_685),
        ("unsupervised", {-1: 50_000}, None),
    ],
)
def test_real_reviews(split, labels, size):
    reviews = imdb.load(split)
    values, counts = np.unique(reviews.labels, return_counts=True)
    assert dict(zip(values.tolist(), counts.tolist(), strict=True)) == labels
    assert len(reviews.texts) == len(reviews.labels)
    if size is not None:
        assert sum(len(text.encode()) for text in reviews.texts) == size
