import io
import zipfile

import numpy as np
import pytest

from rnn_jax.data import cache
from rnn_jax.data.reviews import Reviews
from rnn_jax.data.vocabulary import UNKNOWN
from rnn_jax.errors import UserError

TRAIN = Reviews(["a good film", "a bad film"], np.array([1, 0], np.int8))
TEST = Reviews(["", "good bad ugly"], np.array([0, 1], np.int8))


@pytest.fixture
def path(tmp_path):
    path = cache.path_for(tmp_path / "new", "reviews")
    cache.write(path, cache.encode(TRAIN, TEST))
    return path


def test_words_are_counted_in_the_training_split_alone():
    encoded = cache.encode(TRAIN, TEST)
    assert encoded.vocabulary.words == ("a", "film", "bad", "good")
    assert encoded.test.sequences[0].tolist() == []
    assert encoded.test.sequences[1].tolist() == [6, 5, UNKNOWN]


def test_a_file_gives_back_what_was_written(path):
    before, after = cache.encode(TRAIN, TEST), cache.read(path)
    assert after.vocabulary.words == before.vocabulary.words
    for split in ("train", "test"):
        for field in ("tokens", "lengths", "labels"):
            ours, theirs = getattr(getattr(after, split), field), getattr(getattr(before, split), field)
            np.testing.assert_array_equal(ours, theirs)
            assert ours.dtype == theirs.dtype
    assert [file.name for file in path.parent.iterdir()] == [path.name]  # nothing unfinished is left


def test_damage_anywhere_is_noticed(path):
    whole = path.read_bytes()
    for position in range(0, len(whole), max(1, len(whole) // 60)):
        damaged = bytearray(whole)
        damaged[position] ^= 0x10
        path.write_bytes(damaged)
        try:
            found = cache.read(path)
        except UserError:
            continue
        # Else it was a byte that says nothing about the arrays, such as a time stamp.
        assert found.vocabulary.words == ("a", "film", "bad", "good")
        np.testing.assert_array_equal(found.train.tokens, cache.encode(TRAIN, TEST).train.tokens)


@pytest.mark.parametrize("content", [b"", b"not an archive", b"PK\x03\x04"])
def test_what_is_not_such_a_file_is_refused(path, content):
    path.write_bytes(content)
    with pytest.raises(UserError, match=r"reviews-encoded-v1\.npz is damaged .*delete it"):
        cache.read(path)


def test_an_array_of_absurd_size_is_refused(path):
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "|u1", "fortran_order": False, "shape": (2**50,)})
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("words.npy", header.getvalue())
    with pytest.raises(UserError, match="is damaged"):
        cache.read(path)


def test_nothing_is_unpickled(path):
    np.savez(path, words=np.array([{"harm": True}], object))
    with pytest.raises(UserError, match="is damaged"):
        cache.read(path)
