"""The layout holds: files import only from the rows above their own, and some names stay in one file."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ROWS = ["errors", "cores", "durable", "places", "platforms", "seeds", "settings", "cells", "unroll"]
ROWS += ["interchange", "data", "models", "training", "tasks", "ahead", "measuring", "stress", "reporting"]
FILES = sorted((ROOT / "rnn_jax").rglob("*.py"))


def imports(path):
    """The modules that a file imports, wherever in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relatively"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_files_import_only_from_rows_above(path):
    place = path.relative_to(ROOT / "rnn_jax").parts[0].removesuffix(".py")
    if place == "__init__":
        return
    for name in imports(path):
        assert not name.startswith("experiments"), f"{path.name} imports {name}"
        if name.startswith("rnn_jax."):
            row = name.split(".")[1]
            assert ROWS.index(row) <= ROWS.index(place), f"{path.name} imports {name}"


def words_of(text):
    return set(re.findall("[a-z]+", re.sub("(?<=[a-z])(?=[A-Z])", " ", text).lower()))


TASKS_OWN = {"review", "label", "token", "vocabulary", "logit", "sentiment"}  # and their plurals
EVERYWHERE = [path for path in FILES if path.parent.name == "training"]


@pytest.mark.parametrize("path", EVERYWHERE, ids=lambda p: p.name)
def test_training_speaks_of_no_task(path):
    """It trains whatever a task is: that it imports none follows from the rows."""
    words = words_of(path.read_text(encoding="utf-8").replace("_", " "))
    own = TASKS_OWN | {word + "s" for word in TASKS_OWN} | {"vocabularies", "labelled"}
    assert not words & own


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_no_constructor_takes_more_than_eight_arguments(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef) and node.name == "__init__":
            taken = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
            assert len(taken) - 1 <= 8, f"{path.name}:{node.lineno}"


HOMES = {
    "jax.pmap": {"training/parallel.py"},
    "orbax.checkpoint": {"training/checkpoints.py"},
    "tensorflow_datasets": {
        "data/imdb.py",
        "data/prepared.py",
        "data/preparing.py",
        "data/builders/digits.py",
        "data/builders/long_texts.py",
        "data/builders/pens.py",
        "data/builders/photographs.py",
        "data/builders/promoters.py",
        "data/builders/series.py",
        "data/builders/sounds.py",
        "data/builders/translations.py",
        "data/tfds_texts.py",
    },
}


@pytest.mark.parametrize(("word", "homes"), HOMES.items())
def test_some_libraries_are_named_in_few_files(word, homes):
    named = {
        str(p.relative_to(ROOT / "rnn_jax"))
        for p in FILES
        if f"import {word}" in p.read_text() or f"{word}(" in p.read_text()
    }
    assert named == homes


def test_nothing_is_unpickled_or_evaluated():
    for path in [*FILES, *(ROOT / "experiments").glob("*.py")]:
        names = {
            node.func.id
            for node in ast.walk(ast.parse(path.read_text()))
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
        }
        assert not names & {"eval", "exec"}, path
        if path.name == "pickled_arrays.py":  # which reads nothing but arrays
            continue
        assert not {"pickle", "dill", "joblib", "marshal"} & {name.split(".")[0] for name in imports(path)}, (
            path
        )
        assert "allow_pickle=True" not in path.read_text(), path
