"""No network for the tests of the data, and a small archive, prepared."""

import csv
import hashlib
import shutil
import socket

import pytest
import tensorflow_datasets as tfds

from rnn_jax.data import imdb
from rnn_jax.data.labelled_settings import LabelledSettings
from rnn_jax.data.labelled_texts import load
from tests.data.archives import write_archive


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


@pytest.fixture
def write(tmp_path):
    """Writes rows into a CSV file: its path."""

    def write(name, rows, header=("text", "label")):
        with (tmp_path / name).open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([header, *rows])
        return str(tmp_path / name)

    return write


@pytest.fixture
def read(tmp_path):
    """Labelled texts of a training file, and of others."""

    def read(train, **settings):
        return load(LabelledSettings(train=train, **settings), cache_dir=str(tmp_path / "cache"))

    return read


@pytest.fixture
def published(monkeypatch):
    """Lets files be the published ones of a builder, `published(builder, {url: (name, content)})`."""

    def publish(builder, files):
        infos = {
            url: tfds.download.checksums.UrlInfo(
                size=len(content), checksum=hashlib.sha256(content).hexdigest(), filename=name
            )
            for url, (name, content) in files.items()
        }
        monkeypatch.setattr(builder, "url_infos", infos)

    return publish
