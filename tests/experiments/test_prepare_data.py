import hashlib
import io
import subprocess
import sys
import tarfile

import pytest
import tensorflow_datasets as tfds

from experiments import prepare_data
from rnn_jax.data import imdb
from rnn_jax.data.builders.long_texts import TinyShakespeare

FOLDERS = ("train/pos", "train/neg", "train/unsup", "test/pos", "test/neg")


@pytest.fixture
def archive(tmp_path):
    path = tmp_path / "aclImdb_v1.tar.gz"
    with tarfile.open(path, "w:gz") as tar:
        for folder in FOLDERS:
            text = f"A review from {folder}.".encode()
            member = tarfile.TarInfo(f"aclImdb/{folder}/0_5.txt")
            member.size = len(text)
            tar.addfile(member, io.BytesIO(text))
    return path


def script(*options):
    command = [sys.executable, "-m", "experiments.prepare_data", *map(str, options)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_prepares_and_says_how_to_go_on(archive, tmp_path):
    data = tmp_path / "my data"
    first = script("--archive", archive, "--data-dir", data)
    assert first.returncode == 0, first.stderr
    assert f"imdb_reviews: prepared in {data}" in first.stdout
    assert [line.split()[:2] for line in first.stdout.splitlines()[1:4]] == [
        ["train", "2"],
        ["test", "2"],
        ["unsupervised", "1"],
    ]
    assert f"python -m experiments.imdb_sentiment --workdir runs/lstm --data-dir '{data}'" in first.stdout
    [warning] = first.stderr.splitlines()
    assert "not the published archive" in warning
    again = script("--data-dir", data)
    assert again.returncode == 0, again.stderr
    assert f"imdb_reviews: prepared already in {data}" in again.stdout
    assert again.stderr == ""


def test_directory_from_the_environment(archive, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setattr(sys, "argv", ["prepare_data", "--archive", str(archive)])
    prepare_data.main()
    out = capsys.readouterr().out
    assert f"prepared in {tmp_path / 'data'}" in out
    assert out.rstrip().endswith("--workdir runs/lstm")
    assert imdb.load("test", str(tmp_path / "data")).texts


def test_a_text(tmp_path, monkeypatch, capsys):
    """What is prepared is read to its end, and the command that learns it is named."""
    text = "To be, or not to be. " * 20
    (tmp_path / "input.txt").write_text(text)
    info = tfds.download.checksums.UrlInfo(len(text), hashlib.sha256(text.encode()).hexdigest(), "input.txt")
    infos = dict.fromkeys(TinyShakespeare.FILES.values(), info)
    monkeypatch.setattr(TinyShakespeare, "url_infos", infos)
    options = ["--dataset", "tiny_shakespeare", "--manual-dir", str(tmp_path), "--data-dir", str(tmp_path)]
    monkeypatch.setattr(sys, "argv", ["prepare_data", *options])
    prepare_data.main()
    out = capsys.readouterr().out
    assert [line.split() for line in out.splitlines()[1:4]] == [
        ["train", "378", "bytes"],
        ["validation", "21", "bytes"],
        ["test", "21", "bytes"],
    ]
    use = "experiments.language_model --preset tiny_shakespeare --workdir runs/tiny_shakespeare"
    assert f"{use} --data-dir {tmp_path}" in out


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--archive", "missing.tar.gz"], "no file missing.tar.gz"),
        (["--archiv", "x"], "--archiv"),
        (["--manual-dir", "."], "--manual-dir is for other datasets"),
        (["--dataset", "wikitext2", "--archive", "x"], "--archive is for imdb_reviews"),
        (["--dataset", "wikitext2", "--manual-dir", "."], "has no train.txt: it takes train.txt, valid.txt"),
    ],
)
def test_bad_usage_is_one_line_and_exit_code_2(tmp_path, options, message):
    result = script(*options, "--data-dir", tmp_path / "data")
    assert result.returncode == 2
    [line] = result.stderr.splitlines()
    assert line.startswith("error: ")
    assert message in line
    assert not (tmp_path / "data").exists()
