"""Archives laid out as the published one, and what loading them should give."""

import sys
import tarfile

import numpy as np
import tensorflow_datasets as tfds

from rnn_jax.data import imdb

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
    tar.fileobj.write(member.tobuf())  # as it says, true or not
    tar.fileobj.write(content + bytes(-len(content) % tarfile.BLOCKSIZE))


def write_archive(path, reviews=REVIEWS, also=()):
    """An archive laid out as the published one, with a few things in it that must be left alone.

    `also` are more members: names, and attributes for `tarfile`.
    """
    with tarfile.open(path, "w:gz") as tar:
        add(tar, "aclImdb", type=tarfile.DIRTYPE)
        add(tar, "aclImdb/README", b"Large Movie Review Dataset v1.0")
        add(tar, "aclImdb/train/urls_pos.txt", b"http://localhost")
        add(tar, "aclImdb/train/pos/._0_9.txt", b"\xff what some archivers add")
        for name, text in reviews.items():
            add(tar, name, text if isinstance(text, bytes) else text.encode())
        for name, attributes in also:
            add(tar, name, b"x" * attributes.pop("bytes", 0), **attributes)
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


def publish(monkeypatch, url, archive):
    """Makes TFDS take an archive for the published one, at a URL."""
    builder = tfds.builder_cls("imdb_reviews")
    monkeypatch.setattr(sys.modules[builder.__module__], "_DOWNLOAD_URL", url)
    monkeypatch.setattr(builder, "url_infos", {url: tfds.download.checksums.compute_url_info(archive)})
