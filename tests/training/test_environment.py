"""What a run records of the code that made it: the clone's commit, or the version of what is installed."""

import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pytest

from rnn_jax.training import environment

FILE = "rnn_jax/training/environment.py"
VERSION = "rnn-jax 1.2.3"


@pytest.fixture(autouse=True)
def installed(monkeypatch):
    """Some version is installed."""
    monkeypatch.setattr(environment, "version", lambda name: {"rnn-jax": "1.2.3"}[name])


@pytest.fixture
def repository(tmp_path, monkeypatch):
    """Somebody's repository, with a commit."""
    for name in ("GIT_DIR", "GIT_INDEX_FILE", "GIT_WORK_TREE"):
        monkeypatch.delenv(name, raising=False)  # as set where a hook runs the tests
    path = tmp_path / "theirs"
    path.mkdir()
    git(path, "init", "--quiet")
    (path / "paper.txt").write_text("ours is better")
    commit_all(path)
    return path


def git(path, *arguments):
    identity = ("-c", "user.name=A", "-c", "user.email=a@b")
    command = ["git", *identity, *arguments]
    return subprocess.run(command, cwd=path, check=True, capture_output=True, text=True).stdout.strip()


def commit_all(path):
    git(path, "add", "--all")
    git(path, "commit", "--quiet", "--message", "All")


def put(folder, monkeypatch):
    """The package as it would be if it lay in this folder."""
    file = folder / FILE
    file.parent.mkdir(parents=True)
    file.write_text("# the code")
    monkeypatch.setattr(environment, "__file__", str(file))
    return file


def test_in_a_clone_it_is_the_commit_with_changes_marked(repository, monkeypatch):
    file = put(repository, monkeypatch)
    commit_all(repository)
    head = git(repository, "rev-parse", "HEAD")
    assert environment.commit() == head
    (repository / "paper.txt").write_text("notes beside the code do not count")
    assert environment.commit() == head
    file.write_text("# other code")
    assert environment.commit() == f"{head}+changes"


@pytest.mark.parametrize("folder", ["", ".venv/lib/python3.11/site-packages"])
def test_in_a_repository_that_does_not_track_it_it_is_the_version(folder, repository, monkeypatch):
    put(repository / folder, monkeypatch)
    assert environment.commit() == VERSION


def test_of_a_copy_within_a_clone_it_is_the_version(repository, monkeypatch):
    """The clone may have moved on since the copy was installed."""
    put(repository, monkeypatch)
    commit_all(repository)
    put(repository / ".venv/lib/python3.11/site-packages", monkeypatch)
    assert environment.commit() == VERSION


def test_in_a_repository_that_holds_a_copy_it_is_the_version(repository, monkeypatch):
    """Their commit is none of ours, though it tracks the copy."""
    put(repository / "third_party", monkeypatch)
    commit_all(repository)
    assert environment.commit() == VERSION


def test_through_a_link_in_another_repository_it_is_the_clone_s_commit(repository, tmp_path, monkeypatch):
    clone = tmp_path / "clone"
    put(clone, monkeypatch)
    git(clone, "init", "--quiet")
    commit_all(clone)
    (repository / "rnn_jax").symlink_to(clone / "rnn_jax")
    monkeypatch.setattr(environment, "__file__", str(repository / FILE))
    assert environment.commit() == git(clone, "rev-parse", "HEAD")


def test_outside_repositories_it_is_the_version_or_unknown(tmp_path, monkeypatch):
    def none(name):
        raise PackageNotFoundError(name)

    put(tmp_path, monkeypatch)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert environment.commit() == VERSION
    monkeypatch.setattr(environment, "version", none)
    assert environment.commit() is None


def test_without_git_it_is_the_version(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert environment.commit() == VERSION


def test_the_real_package_says_what_it_is(monkeypatch):
    """Also that the path by which a clone is known is where the file lies."""
    monkeypatch.setattr(environment, "version", version)
    root = Path(environment.__file__).parents[2]
    assert root / FILE == Path(environment.__file__)
    if (root / ".git").exists():
        assert environment.commit().removesuffix("+changes") == git(root, "rev-parse", "HEAD")


def test_the_processor_is_described_by_linux(tmp_path, monkeypatch):
    cpuinfo = tmp_path / "cpuinfo"
    cpuinfo.write_text("processor\t: 0\nmodel name\t: A: B\nFeatures\t: fp asimd\n\nprocessor\t: 1\n")
    monkeypatch.setattr(environment, "Path", lambda _: cpuinfo)
    assert environment._processor_kind() == "asimd"
    assert environment.processor_field("model name") == "A: B"
    assert environment.processor_field("flags", "Features") == "fp asimd"
    assert environment.processor_field("flags") is None
    cpuinfo.write_text("cpu family : 25\nmodel : 17\nmodel name : A\nflags : sse avx avx2 avx512f avx512dq\n")
    assert environment._processor_kind() == "family 25, model 17, avx512f"
    cpuinfo.unlink()
    assert environment.processor_field("model name") is None
    assert environment._processor_kind() is None
