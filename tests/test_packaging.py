"""What an installation brings: the library alone, under one name that collides with nobody's."""

import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
BUILD = "from setuptools import build_meta; build_meta.build_wheel('wheels')"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Built from a copy, as building leaves files behind."""
    pytest.importorskip("setuptools")
    clone = tmp_path_factory.mktemp("clone")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, clone)
    for name in ("rnn_jax", "experiments", "tests"):
        shutil.copytree(ROOT / name, clone / name, ignore=shutil.ignore_patterns("__pycache__"))
    subprocess.run([sys.executable, "-c", BUILD], cwd=clone, check=True, capture_output=True)
    (path,) = (clone / "wheels").iterdir()
    return zipfile.ZipFile(path)


def test_the_wheel_holds_the_library_and_nothing_else(wheel):
    names = [name for name in wheel.namelist() if ".dist-info/" not in name]
    own = [path for kind in ("*.py", "*.tsv", "*.json") for path in (ROOT / "rnn_jax").rglob(kind)]
    assert sorted(names) == sorted(str(path.relative_to(ROOT)) for path in own)


def test_somebody_s_own_experiments_are_found_however_late_they_stand_on_the_path(wheel, tmp_path):
    installed, mine, elsewhere = (tmp_path / name for name in ("installed", "mine", "elsewhere"))
    wheel.extractall(installed)
    for folder in (mine, elsewhere):
        folder.mkdir()
    (mine / "experiments.py").write_text("whose = 'mine'")
    program = "import experiments, rnn_jax.cells; print(experiments.whose, rnn_jax.__file__)"
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=elsewhere,
        env={"PYTHONPATH": f"{installed}:{mine}"},
        check=True,
        capture_output=True,
        text=True,
    )
    assert done.stdout.split() == ["mine", str(installed / "rnn_jax/__init__.py")]


def test_the_version_is_the_same_wherever_it_stands():
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert f"\nversion: {version}\n" in (ROOT / "CITATION.cff").read_text()
