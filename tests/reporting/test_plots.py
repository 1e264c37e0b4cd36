import statistics

import matplotlib as mpl
import pytest

from rnn_jax.reporting import plots
from rnn_jax.reporting.runs import group_rows, load_runs
from tests.reporting.recorded import ACCURACIES, change, record


@pytest.fixture
def rows(raw):
    return group_rows(load_runs(raw))


def drawn(axes):
    return [line.get_ydata() for line in axes.lines]


def panels(figure):
    return {axes.get_title(): axes for axes in figure.axes}


def test_curves_show_what_was_recorded(rows):
    """A panel a network: each seed, their mean, and the other networks' means."""
    figure = plots.training_curves("cpu")(rows)
    assert list(panels(figure)) == ["lstm", "elman"]
    for name, axes in panels(figure).items():
        accuracies = ACCURACIES["cpu", name]
        others = [statistics.mean(ACCURACIES["cpu", other]) for other in ("elman", "lstm")]
        for accuracy in (*accuracies, statistics.mean(accuracies), *others):
            expected = pytest.approx([100 * (accuracy - 0.1), 100 * (accuracy - 0.05)])
            assert any(list(y) == expected for y in drawn(axes))


def test_a_mark_is_at_the_best_epoch_of_each_seed(raw):
    change(raw / "gpu/lstm.jsonl", 0, best_epoch=1)
    (axes,) = plots.training_curves("gpu")(group_rows(load_runs(raw))).axes
    (mark,) = (line for line in axes.lines if line.get_marker() not in ("None", None))
    assert list(mark.get_xdata()) == [1]
    assert list(mark.get_ydata()) == pytest.approx([80.0])


def test_every_seed_has_its_mark_and_every_network_its_mean(rows):
    (axes,) = plots.test_accuracies(rows).axes
    shown = [list(line.get_xdata()) for line in axes.lines]
    for accuracies in ACCURACIES.values():
        percent = [100 * accuracy for accuracy in accuracies]
        assert any(x == pytest.approx(percent) for x in shown)
        assert any(x == pytest.approx([statistics.mean(percent)] * 2) for x in shown)


@pytest.mark.parametrize("count", [1, 3, 10])
def test_all_networks_are_shown(tmp_path, count):
    names = [f"network-{i}" for i in range(count)]
    for name in names:
        record(tmp_path / f"cpu/{name}.jsonl", 0, 0.8)
    figure = plots.training_curves("cpu")(group_rows(load_runs(tmp_path)))
    figure.canvas.draw()
    assert sorted(panels(figure)) == sorted(names)
    box = figure.legends[0].get_window_extent()
    assert box.x0 >= 0
    assert box.x1 <= figure.bbox.x1  # nothing is cut off


def test_the_same_records_give_the_same_bytes(rows, tmp_path):
    path = tmp_path / "test_accuracy.png"
    picture = plots.pictures(rows)["test_accuracy.png"]
    picture.save(path)
    first = path.read_bytes()
    with mpl.rc_context({"font.size": 20, "axes.facecolor": "red"}):  # as from someone's matplotlibrc
        picture.save(path)
    assert path.read_bytes() == first
    assert len(first) < 150_000


def test_a_plot_knows_what_it_shows(raw, rows, tmp_path):
    path = tmp_path / "test_accuracy.png"
    pictures = plots.pictures(rows)
    picture = pictures["test_accuracy.png"]
    assert not picture.is_in(path)
    picture.save(path)
    assert picture.is_in(path)
    assert not pictures["training_cpu.png"].is_in(path)  # another plot's place
    change(raw / "cpu/lstm.jsonl", 1, test_accuracy=0.5)
    assert not plots.pictures(group_rows(load_runs(raw)))["test_accuracy.png"].is_in(path)
    path.write_bytes(b"no picture")
    assert not picture.is_in(path)
