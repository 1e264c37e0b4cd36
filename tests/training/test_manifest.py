import shutil
import subprocess

import numpy as np
import pytest

from rnn_jax.stress.damages import DAMAGES
from rnn_jax.training.manifest import damage_of, seal


@pytest.fixture
def sealed(tmp_path):
    """A folder of a few files, sealed as 7."""
    folder = tmp_path / "7"
    (folder / "state" / "d").mkdir(parents=True)
    rng = np.random.default_rng(3)
    for name, size in (("state/d/a", 5000), ("state/b", 1), ("progress", 40), ("empty", 0)):
        (folder / name).write_bytes(rng.bytes(size))
    seal(folder, "7")
    return folder


def test_a_sealed_folder_is_sound(sealed):
    assert damage_of(sealed) is None


def test_sha256sum_agrees(sealed):
    if shutil.which("sha256sum") is None:
        pytest.skip("needs sha256sum")
    check = ["sha256sum", "--check", "--quiet", "7/manifest.sha256"]
    assert subprocess.run(check, cwd=sealed.parent, check=False).returncode == 0
    (sealed / "state" / "b").write_bytes(b"?")
    assert subprocess.run(check, cwd=sealed.parent, capture_output=True, check=False).returncode == 1


@pytest.mark.parametrize("kind", DAMAGES)
def test_every_damage_is_found(kind, sealed, rng):
    for trial in range(30):
        copy = sealed.parent / str(trial) / "7"
        shutil.copytree(sealed, copy)
        what = DAMAGES[kind](copy, rng)
        assert damage_of(copy) is not None, what


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda f: (f / "manifest.sha256").unlink(), "manifest.sha256 is missing"),
        (lambda f: (f / "manifest.sha256").write_text(""), "is not in its manifest"),
        (lambda f: (f / "manifest.sha256").write_bytes(b"\xff"), "unreadable"),
        (lambda f: (f / "more").write_text(""), "7/more is not in its manifest"),
        (lambda f: (f / "empty").unlink(), "7/empty is missing"),
        (lambda f: ((f / "empty").unlink(), (f / "empty").symlink_to("/dev/null")), "7/empty is not what"),
        (lambda f: ((f / "empty").unlink(), (f / "empty").mkdir()), "7/empty is missing"),
    ],
)
def test_what_is_wrong_is_named(damage, words, sealed):
    damage(sealed)
    assert words in damage_of(sealed)


def test_a_folder_that_bears_the_name_of_another_is_damaged(sealed):
    assert damage_of(sealed.rename(sealed.with_name("8"))) == "7/empty is missing"


def test_a_folder_without_files_is_damaged(tmp_path):
    seal(tmp_path, tmp_path.name)
    assert damage_of(tmp_path) == "it is empty"
