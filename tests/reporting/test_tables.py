import json
import statistics
import sys

import pytest

from experiments import make_tables
from rnn_jax.errors import UserError
from rnn_jax.reporting import plots
from rnn_jax.reporting.runs import group_rows, load_runs
from rnn_jax.reporting.tables import commands, results_table
from tests.reporting.conftest import ACCURACIES


@pytest.fixture
def make(root, monkeypatch, capsys):
    """Runs make_tables over the made-up project; returns the exit code and what was printed."""

    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["make_tables", "--root", str(root), *arguments])
        return make_tables.main(), capsys.readouterr().out

    return call


def rows_of(root):
    return group_rows(load_runs(root / "results" / "raw"))


def test_rows_are_the_finished_runs_of_a_preset_on_a_platform(root):
    rows = rows_of(root)
    assert [(row.platform, row.preset) for row in rows] == [
        ("cpu", "elman"),
        ("cpu", "lstm"),
        ("gpu", "lstm"),
    ]
    for row in rows:
        assert tuple(row.values("test_accuracy")) == ACCURACIES[row.platform, row.preset]
        assert [len(run.epochs) for run in row.runs] == [2] * len(row.runs)


def test_a_row_is_the_mean_and_the_deviation_over_its_seeds(root):
    lines = results_table(rows_of(root)).splitlines()
    assert len(lines) == 2 + 3
    cells = [cell.strip() for cell in lines[3].split("|")[1:-1]]
    percent = [100 * accuracy for accuracy in ACCURACIES["cpu", "lstm"]]
    assert cells == [
        "lstm",
        "328,353",
        f"{statistics.mean(percent) + 1:.2f}",
        f"{statistics.mean(percent):.2f} ± {statistics.stdev(percent):.2f}",
        "3",
        "2, 2, 2",
        "61",
        "3,000",
        "2 × A",
    ]
    assert "| 90.00 |" in lines[4]  # one seed has no deviation


def test_each_row_has_its_command(root):
    line = commands(rows_of(root)).splitlines()[1]
    assert "`python -m experiments.imdb_sentiment --seed N --workdir results/raw/seed-N`, N = 0, 1, 2" in line
    assert "commit 0123456789ab;" in line
    assert "jax 0.10.2" in line


def test_runs_of_other_settings_do_not_make_a_row(root):
    file = root / "results/raw/cpu/lstm/seed-1/config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"hidden_size": 64}))
    with pytest.raises(UserError, match="cpu/lstm differ in hidden_size"):
        rows_of(root)


@pytest.mark.parametrize("name", ["config.json", "metrics.jsonl", "result.json"])
def test_a_damaged_record_is_named(root, name):
    (root / "results/raw/cpu/lstm/seed-1" / name).write_text('{"a": ')
    with pytest.raises(UserError, match=rf"seed-1/{name} cannot be read"):
        rows_of(root)


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
    "damage",
    [
        lambda root: (root / "results/tables/imdb.md").write_text("| lstm | 99 |"),
        lambda root: (root / "README.md").write_text("<!-- table:imdb -->\nedited\n<!-- /table -->"),
        lambda root: (root / "results/plots/training_cpu.png").unlink(),
        lambda root: (root / "results/raw/gpu/lstm/seed-0/result.json").unlink(),
    ],
)
def test_the_check_notices_and_writes_nothing(root, make, damage):
    make()
    damage(root)
    before = {path: path.read_bytes() for path in root.rglob("*") if path.is_file()}
    code, printed = make("--check")
    assert code == 1
    assert "run make tables" in printed
    assert {path: path.read_bytes() for path in root.rglob("*") if path.is_file()} == before


def test_plots_are_drawn_again_when_a_record_changes(root, make):
    make()
    plot = root / "results/plots/test_accuracy.png"
    rows = rows_of(root)
    assert plots.shows(plot, rows)
    first = plot.read_bytes()
    plot.unlink()
    make()
    assert plot.read_bytes() == first  # the same records give the same bytes
    file = root / "results/raw/cpu/lstm/seed-1/result.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"test_accuracy": 0.5}))
    assert not plots.shows(plot, rows_of(root))


def test_curves_show_what_was_recorded(root):
    rows = [row for row in rows_of(root) if row.platform == "cpu"]
    left, right = plots.training_curves(rows).axes
    drawn = {tuple(line.get_ydata()) for line in right.lines}
    for accuracies in (ACCURACIES["cpu", "lstm"], ACCURACIES["cpu", "elman"]):
        assert any(
            y == pytest.approx([100 * (accuracies[0] - 0.1), 100 * (accuracies[0] - 0.05)]) for y in drawn
        )
        mean = statistics.mean(accuracies)
        assert any(y == pytest.approx([100 * (mean - 0.1), 100 * (mean - 0.05)]) for y in drawn)
    assert any(tuple(line.get_ydata()) == pytest.approx([0.7, 0.35]) for line in left.lines)


def test_no_runs_at_all(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["make_tables", "--root", str(tmp_path)])
    with pytest.raises(UserError, match="holds no finished run"):
        make_tables.main()


def test_plots_need_matplotlib(root, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["make_tables", "--root", str(root)])
    monkeypatch.delitem(sys.modules, "rnn_jax.reporting.plots", raising=False)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.setitem(sys.modules, "matplotlib.axes", None)
    monkeypatch.delattr("rnn_jax.reporting.plots", raising=False)
    with pytest.raises(UserError, match=r"rnn-jax\[plots\]"):
        make_tables.main()
