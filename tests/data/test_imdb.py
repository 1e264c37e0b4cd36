import contextlib
import gzip
import http.server
import io
import logging
import os
import shutil
import socket
import subprocess
import sys
import tarfile
import threading
import time
import urllib.request
from pathlib import Path

import numpy as np
import pytest
import tensorflow_datasets as tfds

from rnn_jax.data import imdb
from rnn_jax.errors import UserError

REVIEWS = {
    "aclImdb/train/pos/0_9.txt": "A joy from the first scene to the last.",
    "aclImdb/train/pos/1_10.txt": "Ein schöner Film — très émouvant 🎬<br /><br />Go.",
    "aclImdb/train/neg/0_1.txt": "Dull.",
    "aclImdb/train/neg/1_2.txt": "",
    "aclImdb/train/unsup/0_0.txt": "Who knows?",
    "aclImdb/test/pos/0_8.txt": "Unseen and good.",
    "aclImdb/test/neg/0_3.txt": "Unseen and bad.",
}
LABELS = {
    "train": {"aclImdb/train/pos/": 1, "aclImdb/train/neg/": 0},
    "test": {"aclImdb/test/pos/": 1, "aclImdb/test/neg/": 0},
    "unsupervised": {"aclImdb/train/unsup/": -1},
}


def add(tar, name, content=b"", **attributes):
    member = tarfile.TarInfo(name)
    member.size = len(content)
    for attribute, value in attributes.items():
        setattr(member, attribute, value)
    tar.addfile(member, io.BytesIO(content))


def write_archive(path, reviews=REVIEWS):
    """An archive laid out as the published one, with a few things in it that must be left alone."""
    with tarfile.open(path, "w:gz") as tar:
        add(tar, "aclImdb", type=tarfile.DIRTYPE)
        add(tar, "aclImdb/README", b"Large Movie Review Dataset v1.0")
        add(tar, "aclImdb/train/urls_pos.txt", b"http://localhost")
        add(tar, "aclImdb/train/pos/link.txt", type=tarfile.SYMTYPE, linkname="/etc/passwd")
        add(tar, "aclImdb/train/pos/hard.txt", type=tarfile.LNKTYPE, linkname="aclImdb/README")
        add(tar, "aclImdb/train/pos/pipe.txt", type=tarfile.FIFOTYPE)
        add(tar, "aclImdb/train/pos/._0_9.txt", b"\xff what some archivers add")
        add(tar, "../aclImdb/train/pos/2_9.txt", b"outside")
        add(tar, "aclImdb/train/pos/../../../escaped.txt", b"outside")
        add(tar, "/aclImdb/train/pos/3_9.txt", b"outside")
        for name, text in reviews.items():
            add(tar, name, text if isinstance(text, bytes) else text.encode())
    return path


def expected(split):
    return sorted(
        (text, label)
        for folder, label in LABELS[split].items()
        for name, text in REVIEWS.items()
        if name.startswith(folder)
    )


def loaded(split, data_dir):
    reviews = imdb.load(split, str(data_dir))
    assert reviews.labels.dtype == np.int8
    return sorted(zip(reviews.texts, reviews.labels.tolist(), strict=True))


def everything_in(folder):
    return {path.relative_to(folder): path.is_file() and path.read_bytes() for path in folder.rglob("*")}


@pytest.fixture(autouse=True)
def no_network(monkeypatch):
    """No test may ask for another machine, by itself or through a proxy."""
    look_up = socket.getaddrinfo

    def getaddrinfo(host, *args, **kwargs):
        if host != "127.0.0.1":
            raise socket.gaierror(f"this test asked for {host}")
        return look_up(host, *args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    return write_archive(tmp_path_factory.mktemp("archive") / "aclImdb_v1.tar.gz")


@pytest.fixture(scope="module")
def prepared(archive, tmp_path_factory):
    folder = tmp_path_factory.mktemp("prepared") / "data"
    assert imdb.prepare(str(folder), archive) == folder
    return folder


@pytest.fixture
def copy(prepared, tmp_path):
    """Prepared data that a test may damage."""
    return shutil.copytree(prepared, tmp_path / "copy")


# --- the directory


def test_data_directory(monkeypatch):
    monkeypatch.setenv("TFDS_DATA_DIR", "/from/environment")
    assert imdb.data_directory("/given") == Path("/given")
    assert imdb.data_directory(None) == Path("/from/environment")
    monkeypatch.setenv("TFDS_DATA_DIR", "")
    assert imdb.data_directory(None) == Path.home() / "tensorflow_datasets"
    monkeypatch.delenv("TFDS_DATA_DIR")
    assert imdb.data_directory(None) == Path.home() / "tensorflow_datasets"
    assert imdb.data_directory("~/here") == Path.home() / "here"


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
    with pytest.raises(UserError, match=r"1\.0\.0 is incomplete, or not in the array_record .* move it out"):
        imdb.load("train", str(copy))


# --- reading


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


# --- preparing from an archive


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


# --- where the data are to go


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


# --- downloading, from a server on this machine


class Server(http.server.BaseHTTPRequestHandler):
    status = 200
    content = b""

    def do_HEAD(self):
        self.send_response(self.status)
        self.send_header("Content-Length", str(len(self.content)))
        self.end_headers()

    def do_GET(self):
        self.do_HEAD()
        self.wfile.write(self.content)

    def log_message(self, *args):
        pass


@contextlib.contextmanager
def serving(content=b"", status=200):
    handler = type("Handler", (Server,), {"content": content, "status": status})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/aclImdb_v1.tar.gz"
        finally:
            server.shutdown()
            thread.join()


def publish(monkeypatch, url, archive):
    """Makes TFDS take an archive for the published one, at a URL."""
    builder = tfds.builder_cls("imdb_reviews")
    monkeypatch.setattr(sys.modules[builder.__module__], "_DOWNLOAD_URL", url)
    monkeypatch.setattr(builder, "url_infos", {url: tfds.download.checksums.compute_url_info(archive)})


def test_the_published_archive():
    url, digest = imdb._published()
    assert url.endswith("/aclImdb_v1.tar.gz")
    assert digest.startswith("c40f74a18d3b61f9")


def test_download(archive, tmp_path, monkeypatch):
    with serving(archive.read_bytes()) as url:
        publish(monkeypatch, url, archive)
        assert imdb.can_download()
        imdb.prepare(str(tmp_path))
    for split in imdb.SPLITS:
        assert loaded(split, tmp_path) == expected(split)


def test_download_of_something_else(archive, tmp_path, monkeypatch):
    with serving(b"please log in to this network first") as url:
        publish(monkeypatch, url, archive)
        with pytest.raises(UserError, match=r"did not arrive whole .*wrong checksum.* --archive$"):
            imdb.prepare(str(tmp_path))
    assert not imdb.is_prepared(str(tmp_path))


def test_no_network(tmp_path):
    assert not imdb.can_download()
    with pytest.raises(UserError, match=r"tar\.gz does not answer: check the network, .*with --archive"):
        imdb.prepare(str(tmp_path / "data"))
    assert not list(tmp_path.iterdir())


def test_server_without_the_archive(archive, monkeypatch):
    with serving(status=404) as url:
        publish(monkeypatch, url, archive)
        assert not imdb.can_download()


def test_server_that_never_answers(archive, monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        publish(monkeypatch, f"http://127.0.0.1:{silent.getsockname()[1]}/", archive)
        start = time.monotonic()
        assert not imdb.can_download(timeout=0.2)
        assert time.monotonic() - start < 2


def test_name_look_up_that_never_ends(monkeypatch):
    over = threading.Event()

    def urlopen(*args, **kwargs):
        over.wait()
        raise OSError

    monkeypatch.setattr(urllib.request, "urlopen", urlopen)
    start = time.monotonic()
    assert not imdb.can_download(timeout=0.2)
    assert time.monotonic() - start < 2
    over.set()


# --- the real reviews


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
