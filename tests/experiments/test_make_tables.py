import json
import sys

import pytest

from experiments import make_tables
from rnn_jax.errors import UserError
from rnn_jax.reporting.records import add_record
from tests.reporting.recorded import (
    change,
    made_up_labels,
    made_up_language_model,
    made_up_pretraining,
    make_project,
)


@pytest.fixture
def root(tmp_path):
    return make_project(tmp_path)


@pytest.fixture
def make(root, monkeypatch, capsys):
    """Runs make_tables over the made-up project; returns the exit code and what was printed."""

    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["make_tables", "--root", str(root), *arguments])
        return make_tables.main(), capsys.readouterr().out

    return call


def test_everything_is_made_and_then_up_to_date(root, make):
    assert make("--check")[0] == 1
    code, printed = make()
    assert code == 0
    made = {"tables/imdb.md", "plots/test_accuracy.png", "plots/training_cpu.png", "plots/training_gpu.png"}
    assert {f"wrote results/{name}" for name in made} < set(printed.splitlines())
    for page in ("README.md", "results/README.md"):
        text = (root / page).read_text()
        assert text.startswith("before\n<!-- table:imdb -->\n| network |")
        assert text.endswith("|\n<!-- /table -->\nafter\n")
    assert make("--check") == (0, "")
    assert make() == (0, "")


@pytest.mark.parametrize(
    ("damage", "stale"),
    [
        (
            lambda root: (root / "results/tables/imdb.md").write_text("| lstm | 99 |"),
            {"results/tables/imdb.md"},
        ),
        (
            lambda root: (root / "README.md").write_text("<!-- table:imdb -->\nedited\n<!-- /table -->"),
            {"README.md"},
        ),
        (
            lambda root: (root / "results/plots/training_cpu.png").unlink(),
            {"results/plots/training_cpu.png"},
        ),
        (
            lambda root: change(root / "results/raw/gpu/lstm.jsonl", 0, test_accuracy=0.5),
            {
                "README.md",
                "results/README.md",
                "results/tables/imdb.md",
                "results/plots/test_accuracy.png",
                "results/plots/training_cpu.png",
                "results/plots/training_gpu.png",
            },
        ),
    ],
    ids=["edited table", "edited page", "missing plot", "changed run"],
)
def test_the_check_names_what_differs_and_writes_nothing(root, make, damage, stale):
    make()
    damage(root)
    before = {path: path.read_bytes() for path in root.rglob("*") if path.is_file()}
    code, printed = make("--check")
    assert code == 1
    assert {line.split(" is not ")[0] for line in printed.splitlines()} == stale
    assert {path: path.read_bytes() for path in root.rglob("*") if path.is_file()} == before


def test_language_models_come_with_their_table_and_pictures(root, make):
    page = "<!-- table:imdb -->\n<!-- /table -->\n<!-- table:language_models -->\n<!-- /table -->\n"
    (root / "README.md").write_text(page)
    make()
    alone = (root / "README.md").read_text()
    assert alone.endswith("<!-- table:language_models -->\n<!-- /table -->\n")  # there are none yet
    imdb = (root / "results/tables/imdb.md").read_bytes()
    add_record(root / "results/raw/cpu/words.jsonl", made_up_language_model("words", 0, 4.5, "wikitext2"))
    code, printed = make()
    assert code == 0
    assert set(printed.splitlines()) == {
        "wrote README.md",
        "wrote results/tables/language_models.md",
        "wrote results/plots/language_model_wikitext2_cpu.png",
    }
    text = (root / "README.md").read_text()
    assert text.startswith(alone.removesuffix("<!-- /table -->\n"))
    assert "| words | wikitext2 |" in text
    assert "\nPublished by others:\n\n| text | model |" in text
    table = (root / "results/tables/language_models.md").read_text()
    assert "- words on 2 × A: `python -m experiments.language_model --seed N" in table
    assert (root / "results/tables/imdb.md").read_bytes() == imdb
    assert make("--check") == (0, "")


def test_language_models_alone(tmp_path, monkeypatch, capsys):
    raw = tmp_path / "results/raw"
    add_record(raw / "cpu/words.jsonl", made_up_language_model("words", 0, 4.5, "wikitext2"))
    monkeypatch.setattr(sys, "argv", ["make_tables", "--root", str(tmp_path)])
    assert make_tables.main() == 0
    assert [path.name for path in (tmp_path / "results/tables").iterdir()] == ["language_models.md"]


def test_what_pretraining_is_worth(root, make):
    make()
    folder = root / "results/pretraining/cpu"
    for arm in ("with", "without"):
        add_record(folder / "labels.jsonl", made_up_labels(arm, 100, 0, 0.8))
    add_record(folder / "epochs.jsonl", made_up_pretraining(2, 5400, 0, 0.9))
    (root / "README.md").write_text("<!-- table:labels_cpu -->\n<!-- /table -->\n")
    assert set(make()[1].splitlines()) == {
        "wrote README.md",
        *(f"wrote results/{place}" for place in ("tables/labels_cpu.md", "tables/pretraining_cpu.md")),
        *(f"wrote results/{place}" for place in ("plots/labels_cpu.png", "plots/pretraining_cpu.png")),
    }
    assert "| 100 | 80.00 | 80.00 | +0.00 | 1 | 2 × A |" in (root / "README.md").read_text()
    assert make("--check") == (0, "")


def test_how_fast_language_models_are(root, make):
    make()
    folder = root / "results/language_models/cpu"
    folder.mkdir(parents=True)
    network = {
        **{"cell": "lstm", "num_layers": 1, "hidden_size": 512},
        **{"batch_size": 32, "length": 64, "softmax_samples": 0},
    }
    row = {"library": "rnn_jax", "vocabulary_size": 66, "config": network, "hardware": {"num_devices": 2}}
    speed, generation = {"tokens_per_second": [1000.0]}, {"length": 100, "seconds": [0.5]}
    curve = {"dataset": "tiny_shakespeare", "epochs": [{"seconds": 60.0, "validation_loss": 1.5}]}
    for name, measured in (("speed", speed), ("curve", curve), ("generation", generation)):
        (folder / f"{name}.jsonl").write_text(json.dumps(row | measured) + "\n")
    assert set(make()[1].splitlines()) == {
        *(f"wrote results/tables/language_{name}_cpu.md" for name in ("speed", "curve", "generation")),
        "wrote results/plots/language_curve_cpu.png",
    }
    assert make("--check") == (0, "")


def test_a_page_without_marks_is_left_alone(root, make):
    (root / "README.md").write_text("no table here\n")
    make()
    assert (root / "README.md").read_text() == "no table here\n"
    assert make("--check") == (0, "")


def test_a_mark_without_its_end_is_named_before_anything_is_written(root, make):
    (root / "README.md").write_text("<!-- table:imdb -->\n| old |\n")
    with pytest.raises(UserError, match=r"README.md: the table that .* begins has no end"):
        make()
    assert not (root / "results/tables").exists()


def test_no_runs_at_all(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["make_tables", "--root", str(tmp_path / "empty")])
    with pytest.raises(UserError, match="holds no finished run"):
        make_tables.main()


def test_plots_need_matplotlib(make, monkeypatch):
    for name in ("plots", "picture"):
        monkeypatch.delitem(sys.modules, f"rnn_jax.reporting.{name}", raising=False)
    monkeypatch.delattr("rnn_jax.reporting.plots", raising=False)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.setitem(sys.modules, "matplotlib.style", None)
    with pytest.raises(UserError, match=r"plots need matplotlib.*: pip install matplotlib"):
        make()
