import importlib
import typing
from pathlib import Path

import pytest

from experiments.command_line import Place
from rnn_jax.data import cache, imdb, prepared
from rnn_jax.errors import UserError
from rnn_jax.places import local
from rnn_jax.tasks.predictor import Predictor
from rnn_jax.training.run_directory import RunDirectory

FILES = sorted(Path(__file__).parent.parent.glob("experiments/*.py"))
SCRIPTS = [file for file in FILES if "class Options:" in file.read_text()]
# Options that are any other text.
NOT_PLACES = {"label_column", "peers", "prefix", "prompt", "text_column", "topology"}


@pytest.mark.parametrize("name", ["runs/a", "/runs/a", "./gs://bucket", "c:", "a:b/c", "é" * 127, Path("x")])
def test_local_places_are_taken_as_they_are(name):
    assert local(name) == Path(name)


def test_the_home_directory_is_expanded(monkeypatch):
    monkeypatch.setenv("HOME", "/home/me")
    assert local("~/run") == Path("/home/me/run")
    assert local("a/~/run") == Path("a/~/run")
    assert RunDirectory("~/run").path == Path("/home/me/run")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        *((f"{scheme}://bucket/run", "is a URL") for scheme in ("gs", "s3", "hdfs", "file", "https", "S3A")),
        (Path("gs://bucket/run"), "is a URL"),
        ("", "names nothing"),
        ("~nobody-of-this-name/run", "no home directory"),
        ("é" * 128, "too long: a name has at most 255 bytes"),
        ("a/" * 2000, "too long"),
        ("a\0b", "holds a NUL"),
        ("\ud800", "cannot be the name of a file"),
    ],
)
def test_what_no_local_place_can_be_is_refused_in_one_line(name, message):
    with pytest.raises(UserError, match=message) as refused:
        local(name)
    assert "\n" not in str(refused.value)
    assert len(str(refused.value)) < 250


def test_the_library_follows_the_same_rule(monkeypatch):
    for use in (RunDirectory, Predictor, prepared.data_directory, imdb.is_prepared):
        with pytest.raises(UserError, match="gs://bucket/run is a URL"):
            use("gs://bucket/run")
    with pytest.raises(UserError, match="gs://bucket is a URL"):
        cache.folders(None, "gs://bucket")
    monkeypatch.setenv("TFDS_DATA_DIR", "gs://bucket/data")
    with pytest.raises(UserError, match="gs://bucket/data is a URL"):
        prepared.data_directory(None)


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_every_option_that_is_a_text_is_known_to_be_a_place_or_none(script):
    options = importlib.import_module(f"experiments.{script.stem}").Options
    for name, kind in typing.get_type_hints(options, include_extras=True).items():
        if str in (kind, *typing.get_args(kind)) and kind != Place:
            assert name in NOT_PLACES, name
