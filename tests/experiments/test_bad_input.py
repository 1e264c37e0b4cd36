"""Bad input to every script gets one line that names what is wrong, exit code 2, and nothing is lost."""

import pytest

from tests.bad_inputs import CASES, TABLE, answer, row
from tests.bad_places import prepare

ALL = [(module, line) for module, lines in CASES.items() for line in lines]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The places that the cases name."""
    path = tmp_path_factory.mktemp("bad_inputs")
    prepare(path)
    return path


def content(folder):
    """Everything that could be lost; a lock says who holds it now, and `kept` is the cache of texts."""
    files = (p for p in folder.rglob("*") if p.is_file() and p.name != "lock" and "kept" not in p.parts)
    return {p: p.read_bytes() for p in files}


@pytest.mark.parametrize(("module", "line"), ALL, ids=[f"{m} {line}" for m, line in ALL])
def test_bad_input_is_answered_as_the_table_says(module, line, folder):
    before = content(folder)
    code, said = answer(module, line, folder)
    assert code == 2, said
    assert said.startswith("error: ")
    assert said.count("\n") == 1
    assert row(module, line, said) in TABLE.read_text("utf-8").splitlines(), said
    assert content(folder) == before


def test_the_table_holds_nothing_else():
    """Should this fail: python -m tests.bad_inputs."""
    assert len(ALL) >= 40
    assert len(TABLE.read_text("utf-8").splitlines()) == len(ALL) + 2
