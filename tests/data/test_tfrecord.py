"""The default format of TFDS, read without TensorFlow."""

import shutil

import numpy as np
import pytest

from rnn_jax.data import dataset, imdb, tfrecord
from rnn_jax.errors import UserError
from tests.data.archives import expected, loaded
from tests.data.tfrecords import convert, frame, masked


@pytest.fixture(scope="module")
def converted(prepared, tmp_path_factory):
    return convert(prepared, tmp_path_factory.mktemp("converted") / "data")


@pytest.fixture
def file(tmp_path):
    return tmp_path / "file.tfrecord"


def test_the_published_check_value():
    content = np.frombuffer(b"123456789", np.uint8)
    [found] = tfrecord.masked_crc32c(content, np.array([0]), np.array([9]))
    unmasked = (int(found) - 0xA282EAD8) % 2**32
    assert (unmasked >> 17 | unmasked << 15) % 2**32 == 0xE3069283  # RFC 3720 and every catalogue of CRCs


def test_records_come_back_in_their_order(file, rng):
    records = [rng.bytes(n) for n in (3, 0, 300, 1, 77)]
    file.write_bytes(b"".join(map(frame, records)))
    assert tfrecord.read(file) == records
    file.write_bytes(b"")
    assert tfrecord.read(file) == []


def test_a_changed_byte_or_a_missing_end_is_noticed_wherever_it_is(file):
    content = frame(b"a good film") + frame(b"a bad film")
    for position in range(len(content)):
        file.write_bytes(content[:position] + bytes([content[position] ^ 0x10]) + content[position + 1 :])
        with pytest.raises(ValueError, match=r"does not match its CRC|ends within a record"):
            tfrecord.read(file)
        if position not in (0, len(frame(b"a good film"))):
            file.write_bytes(content[:position])
            with pytest.raises(ValueError, match="ends within a record"):
                tfrecord.read(file)


def test_a_sum_of_each_piece_whatever_their_lengths(rng):
    lengths = rng.permutation([0, 1, 2, 7, 7, 100, 0, 31])
    starts = np.cumsum(lengths) - lengths
    content = rng.integers(0, 256, lengths.sum()).astype(np.uint8)
    expected = [masked(content[s : s + n].tobytes()) for s, n in zip(starts, lengths, strict=True)]
    assert tfrecord.masked_crc32c(content, starts, lengths).tolist() == expected


@pytest.mark.parametrize("split", imdb.SPLITS)
def test_the_same_reviews_in_the_same_order_as_from_array_record(prepared, converted, split):
    assert imdb.is_prepared(str(converted))
    assert loaded(split, converted) == expected(split)
    assert imdb.load(split, str(converted)).texts == imdb.load(split, str(prepared)).texts


def test_training_takes_them_and_asks_for_nothing_else(converted, monkeypatch, tmp_path):
    monkeypatch.setattr(imdb, "can_download", None)
    reads = dataset.TextSettings(vocabulary_size=9, max_length=5)
    data = dataset.load(reads, data_dir=str(converted), cache_dir=str(tmp_path))
    assert data.name == "imdb"
    assert imdb.prepare(str(converted), "missing.tar.gz") == converted


@pytest.mark.parametrize("damage", ["flip", "a record less", "no file"])
def test_damage_is_one_line(converted, tmp_path, damage):
    copy = shutil.copytree(converted, tmp_path / "copy")
    [file] = (copy / imdb.FOLDER).glob("*-train.tfrecord-00001*")
    [first, second] = tfrecord.read(file)
    if damage == "flip":
        file.write_bytes(frame(first) + frame(second).replace(b"a", b"b"))
    elif damage == "a record less":
        file.write_bytes(frame(first))
    else:
        file.unlink()
    with pytest.raises(UserError, match=r"train split in .* is damaged \(.+\): delete that folder and run"):
        imdb.load("train", str(copy))
