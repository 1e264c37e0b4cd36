import pytest

from tests.reporting.recorded import make_project


@pytest.fixture
def root(tmp_path):
    return make_project(tmp_path)


@pytest.fixture
def raw(root):
    return root / "results" / "raw"
