"""Preparing texts with builders of our own."""

import hashlib
import os

import pytest

from experiments import prepare_data
from rnn_jax.data import preparing, texts
from rnn_jax.data.builders.long_texts import TinyShakespeare, WikiText2
from rnn_jax.data.prepared import data_directory, is_prepared, read_examples
from rnn_jax.data.sources import (
    digits,
    drawings,
    pen_digits,
    photographs,
    promoters,
    series,
    spoken_digits,
    translations,
)
from rnn_jax.errors import UserError
from tests.data.test_imdb_download import serving

PLAY = ("First Citizen:\r\nBefore we proceed any further, hear me speak, château.\n\n" * 7).encode()


@pytest.fixture
def folder(tmp_path, published):
    """A folder with a play, which is taken for the published one."""
    [url] = TinyShakespeare.FILES.values()
    published(TinyShakespeare, {url: ("input.txt", PLAY)})
    path = tmp_path / "files"
    path.mkdir()
    (path / "input.txt").write_bytes(PLAY)
    return path


def test_each_dataset_has_a_builder_and_a_use():
    found = {name: f"{name}/{each.VERSION}" for name, each in preparing.builders().items()}
    single = (digits, pen_digits, drawings, spoken_digits, translations, photographs)
    sources = {each.FOLDER for each in single} | {*promoters.FOLDERS.values(), *series.FOLDERS.values()}
    assert set(found.values()) == {*texts.PREPARED.values(), *sources}
    assert prepare_data.USES.keys() == found.keys()


def test_every_file_has_its_checksum():
    for builder in preparing.builders().values():
        compared = getattr(builder, "MD5", builder.FILES).keys()
        assert compared == builder.FILES.keys()
        assert hasattr(builder, "MD5") or set(builder.FILES.values()) <= set(builder.url_infos)


def test_from_a_folder(folder, tmp_path):
    """Cut after 90 % and 95 % of the characters, not of the bytes; line ends stay."""
    root = tmp_path / "data"
    found = preparing.prepare("tiny_shakespeare", str(root), str(folder))
    assert found == root / texts.PREPARED["tiny_shakespeare"]
    parts = [read_examples(found, split)[0]["text"] for split in texts.Texts._fields]
    text = PLAY.decode()
    assert b"".join(parts) == PLAY
    assert len(parts[0].decode()) == int(0.9 * len(text))
    assert len(parts[1].decode()) == int(0.5 * (len(text) - len(parts[0].decode())))
    corpus = texts.load(texts.CorpusSettings(), str(root))
    assert corpus.tokenizer.decode(corpus.test.tokens) == parts[2].decode()
    assert preparing.prepare("tiny_shakespeare", str(root)) == found  # without a network


def test_from_a_server(tmp_path, published, monkeypatch):
    with serving(PLAY) as url:
        monkeypatch.setattr(TinyShakespeare, "FILES", {"all": url})
        published(TinyShakespeare, {url: ("input.txt", PLAY)})
        found = preparing.prepare("tiny_shakespeare", str(tmp_path))
    assert read_examples(found, "train")[0]["text"] == PLAY.decode()[: int(0.9 * len(PLAY.decode()))].encode()


def test_another_file_than_the_published_one(folder, tmp_path):
    (folder / "input.txt").write_bytes(PLAY + b"!")
    with pytest.raises(UserError, match=r"did not arrive whole .*wrong checksum.* --manual-dir$"):
        preparing.prepare("tiny_shakespeare", str(tmp_path / "data"), str(folder))
    assert not is_prepared(tmp_path / "data" / texts.PREPARED["tiny_shakespeare"])


def test_a_folder_without_the_files(folder, tmp_path):
    with pytest.raises(UserError, match=r"files has no train\.txt: it takes train\.txt, valid\.txt"):
        preparing.prepare("wikitext2", str(tmp_path / "data"), str(folder))
    assert not (tmp_path / "data").exists()


def test_no_network(tmp_path):
    with pytest.raises(UserError, match=r"input\.txt does not answer: check the network, .* --manual-dir"):
        preparing.prepare("tiny_shakespeare", str(tmp_path / "data"))
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize("builder", [TinyShakespeare, WikiText2])
def test_the_published_files_give_what_is_prepared(builder):
    """What TFDS has prepared is what the files of these checksums hold."""
    folder = data_directory(os.environ.get("TFDS_DATA_DIR")) / texts.PREPARED[builder.name]
    if not is_prepared(folder):
        pytest.skip(f"{builder.name} is not prepared: set TFDS_DATA_DIR")
    parts = {split: read_examples(folder, split)[0]["text"] for split in texts.Texts._fields}
    files = {"all": b"".join(parts.values())} if "all" in builder.FILES else parts
    assert builder.cut({name: content.decode() for name, content in files.items()}) == {
        split: content.decode() for split, content in parts.items()
    }
    sums = {builder.FILES[name]: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    assert sums == {url: builder.url_infos[url].checksum for url in sums}
