"""Preparing IMDb from an archive."""

import gzip
import logging
import os
import re
import shutil
import tarfile

import pytest

from rnn_jax.data import imdb
from rnn_jax.errors import UserError
from tests.data.archives import REVIEWS, everything_in, expected, loaded, publish, write_archive


def test_prepared_data_are_left_alone(prepared, tmp_path):
    before = everything_in(prepared)
    assert imdb.prepare(str(prepared)) == prepared  # without a network
    assert imdb.prepare(str(prepared), tmp_path / "missing.tar.gz") == prepared
    assert everything_in(prepared) == before


def test_nothing_is_written_outside(archive, tmp_path):
    imdb.prepare(str(tmp_path / "data"), archive)
    assert [path.name for path in tmp_path.iterdir()] == ["data"]
    assert [path.name for path in tmp_path.rglob("*.txt")] == ["label.labels.txt"]


def test_names_may_begin_with_a_dot(tmp_path):
    path = write_archive(tmp_path / "a.tar.gz", {f"./{name}": text for name, text in REVIEWS.items()})
    imdb.prepare(str(tmp_path / "data"), path)
    assert loaded("train", tmp_path / "data") == expected("train")


def test_another_archive_than_the_published_one_gives_a_warning(archive, tmp_path, caplog, monkeypatch):
    with caplog.at_level(logging.WARNING):
        imdb.prepare(str(tmp_path / "first"), archive)
        assert "not the published archive" in caplog.text
        assert "figures may not compare" in caplog.text
        caplog.clear()
        publish(monkeypatch, "http://127.0.0.1/", archive)
        imdb.prepare(str(tmp_path / "second"), archive)
    assert not caplog.records


def test_says_nothing_on_standard_output(archive, tmp_path, capfd):
    imdb.prepare(str(tmp_path), archive)
    imdb.load("train", str(tmp_path))
    assert capfd.readouterr().out == ""


def is_refused(archive, tmp_path, message):
    """The archive is refused in one line, and nothing is written."""
    data = tmp_path / "data"
    with pytest.raises(UserError, match=message) as refusal:
        imdb.prepare(str(data), archive)
    assert "\n" not in str(refusal.value)
    assert not data.exists()


def test_missing_archive(tmp_path):
    is_refused(tmp_path / "none.tar.gz", tmp_path, r"no file .*none\.tar\.gz: --archive takes the published")


def test_archive_is_a_directory(tmp_path):
    is_refused(tmp_path, tmp_path, "is a directory: --archive takes the published .* not unpacked")


@pytest.mark.parametrize(
    "content",
    [b"", b"no archive", gzip.compress(b"no tar" * 1000), gzip.compress(b"")],
    ids=["empty", "text", "gzip of text", "gzip of nothing"],
)
def test_archive_is_no_gzipped_tar(tmp_path, content):
    path = tmp_path / "archive"
    path.write_bytes(content)
    is_refused(path, tmp_path, "cannot be read as a gzipped tar archive|has no reviews in")


def test_archive_is_a_plain_tar(archive, tmp_path):
    path = tmp_path / "archive.tar"
    path.write_bytes(gzip.decompress(archive.read_bytes()))
    is_refused(path, tmp_path, "cannot be read as a gzipped tar archive")


@pytest.mark.parametrize("part", [0.2, 0.5, 0.9, 0.999])
def test_truncated_archive(archive, tmp_path, part):
    whole = archive.read_bytes()
    path = tmp_path / "cut.tar.gz"
    path.write_bytes(whole[: int(part * len(whole))])
    is_refused(path, tmp_path, "cannot be read .* it is damaged, incomplete or another file")


def test_a_flipped_bit_anywhere_in_the_archive(archive, tmp_path):
    whole = archive.read_bytes()
    path = tmp_path / "flipped.tar.gz"
    header = whole.index(b"\0", 10) + 1  # the time and the name that gzip notes do not matter
    for position in range(header, len(whole), 7):
        path.write_bytes(whole[:position] + bytes([whole[position] ^ 4]) + whole[position + 1 :])
        is_refused(path, tmp_path, "cannot be read as a gzipped tar archive")


@pytest.mark.parametrize("folder", imdb.ARCHIVE_FOLDERS)
def test_archive_without_reviews_in_a_folder(tmp_path, folder):
    reviews = {name: text for name, text in REVIEWS.items() if not name.startswith(folder)}
    path = write_archive(tmp_path / "a.tar.gz", reviews)
    is_refused(path, tmp_path, f"has no reviews in {folder}: pass the published")


def test_archive_of_something_else(tmp_path):
    path = write_archive(tmp_path / "a.tar.gz", {"holiday/pos/1.txt": "sun"})
    is_refused(path, tmp_path, "has no reviews in aclImdb/train/pos, aclImdb/train/neg, .*pass the published")


def test_archive_with_a_text_that_is_not_utf8(tmp_path):
    path = write_archive(tmp_path / "a.tar.gz", REVIEWS | {"aclImdb/test/pos/0_8.txt": b"caf\xe9"})
    is_refused(path, tmp_path, "archive of texts .*utf-8")


def test_archive_with_a_name_twice(tmp_path):
    double = {"./aclImdb/test/pos/0_8.txt": "Unseen, again."}
    path = write_archive(tmp_path / "a.tar.gz", REVIEWS | double)
    is_refused(path, tmp_path, "several reviews of the same name")


@pytest.mark.parametrize(
    ("name", "attributes", "reason"),
    [
        ("aclImdb/train/pos/link.txt", {"type": tarfile.SYMTYPE, "linkname": "/etc/passwd"}, "is a link"),
        ("aclImdb/train/pos/hard.txt", {"type": tarfile.LNKTYPE, "linkname": "aclImdb/README"}, "is a link"),
        ("aclImdb/link", {"type": tarfile.SYMTYPE, "linkname": ".."}, "is a link"),
        ("aclImdb/train/pos/pipe.txt", {"type": tarfile.FIFOTYPE}, "is a link or a device"),
        ("../aclImdb/train/pos/2_9.txt", {}, "leads out of the archive"),
        ("aclImdb/train/pos/../../../escaped.txt", {}, "leads out of the archive"),
        ("/aclImdb/train/pos/3_9.txt", {}, "leads out of the archive"),
        ("aclImdb/train/pos/4_9.txt", {"bytes": 2**20 + 1}, "has 1,048,577 bytes, far more than any review"),
        ("aclImdb/train/more.feat", {"size": 2**40}, "lies beyond 2,147,483,648 bytes"),
    ],
)
def test_an_archive_that_may_be_an_attack_is_refused(name, attributes, reason, tmp_path):
    path = write_archive(tmp_path / "a.tar.gz", also=[(name, dict(attributes))])
    is_refused(path, tmp_path, rf"is refused: '{re.escape(name)}' {reason}")
    assert [path.name for path in tmp_path.iterdir()] == ["a.tar.gz"]


@pytest.mark.parametrize("below", ["", "below"])
def test_data_directory_is_a_file(archive, tmp_path, below):
    file = tmp_path / "file"
    file.write_text("precious")
    with pytest.raises(UserError, match=r"cannot write to .*file.* another folder with --data-dir"):
        imdb.prepare(str(file / below), archive)
    assert file.read_text() == "precious"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_data_directory_is_read_only(archive, tmp_path):
    tmp_path.chmod(0o500)
    for place in (tmp_path, tmp_path / "below"):
        with pytest.raises(UserError, match=r"cannot write to .*Permission denied"):
            imdb.prepare(str(place), archive)
    tmp_path.chmod(0o700)


def test_incomplete_data_are_not_overwritten(archive, copy):
    (copy / imdb.FOLDER / "dataset_info.json").unlink()
    before = everything_in(copy)
    with pytest.raises(UserError, match=r"is incomplete.* move it out of the way and run"):
        imdb.prepare(str(copy), archive)
    assert everything_in(copy) == before


@pytest.mark.parametrize(
    ("error", "becomes"),
    [
        (OSError(28, "No space left on device"), UserError),
        (RuntimeError("Failed to finalize: No space left on device"), UserError),
        (KeyboardInterrupt(), KeyboardInterrupt),
    ],
)
def test_a_failure_half_way_leaves_nothing_prepared(archive, tmp_path, monkeypatch, error, becomes):
    def fails_at_the_end(path, read=imdb._read_archive):
        yield from read(path)
        raise error

    monkeypatch.setattr(imdb, "_check_archive", lambda path: None)
    with monkeypatch.context() as context:
        context.setattr(imdb, "_read_archive", fails_at_the_end)
        with pytest.raises(becomes, match="No space left" if becomes is UserError else None):
            imdb.prepare(str(tmp_path), archive)
    assert not imdb.is_prepared(str(tmp_path))
    assert not list(tmp_path.rglob("*array_record*"))
    imdb.prepare(str(tmp_path), archive)
    assert loaded("test", tmp_path) == expected("test")


@pytest.mark.parametrize("meanwhile", [1, 2, 4], ids=["checking", "preparing train", "preparing the last"])
def test_another_process_may_be_quicker(archive, prepared, tmp_path, monkeypatch, meanwhile):
    passes = []

    def others_finish_first(path, read=imdb._read_archive):
        yield from read(path)
        passes.append(path)
        if len(passes) == meanwhile:
            shutil.copytree(prepared, tmp_path, dirs_exist_ok=True)

    monkeypatch.setattr(imdb, "_read_archive", others_finish_first)
    imdb.prepare(str(tmp_path), archive)
    assert loaded("train", tmp_path) == expected("train")
    assert not list(tmp_path.rglob("incomplete*"))
