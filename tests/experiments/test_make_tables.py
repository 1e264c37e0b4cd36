import sys

import pytest

from experiments import make_tables
from rnn_jax.errors import UserError
from tests.reporting.recorded import change, make_project


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
    with pytest.raises(UserError, match=r"plots need matplotlib.*rnn-jax\[plots\]"):
        make()
