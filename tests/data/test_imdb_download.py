"""Preparing IMDb from a server, which is on this machine."""

import contextlib
import http.server
import socket
import threading
import time
import urllib.request

import pytest

from rnn_jax.data import imdb
from rnn_jax.errors import UserError
from tests.data.archives import expected, loaded, publish


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
