import pytest

from rnn_jax.reporting import length_plots
from rnn_jax.reporting.runs import group_rows, load_runs
from tests.reporting.recorded import change


@pytest.fixture
def rows(raw):
    return [row for row in group_rows(load_runs(raw)) if row.platform == "cpu"]


def test_every_network_has_its_mean_accuracy_in_every_range(rows):
    axes = length_plots.accuracy_by_length(rows).axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["lstm", "elman"]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["to 100\n400", "over 100\n600"]
    # 0.88, 0.89 and 0.885 of 400, and 8 more; 0.85 and 0.86 of 600, and 8 fewer.
    shown = {text.get_position(): text.get_text() for text in axes.texts}
    assert shown[0, 0] == f"{(360 + 364 + 362) / 3 / 4:.1f}"
    assert shown[1, 1] == f"{(502 + 508) / 2 / 6:.1f}"


def test_a_platform_has_its_plot_and_rows_without_counts_are_left_out(raw):
    assert list(length_plots.pictures(group_rows(load_runs(raw)))) == ["length_cpu.png", "length_gpu.png"]
    change(raw / "gpu/lstm.jsonl", 0, dataset="synthetic")
    assert list(length_plots.pictures(group_rows(load_runs(raw)))) == ["length_cpu.png"]


def test_another_count_is_another_picture(raw):
    def fingerprint():
        return length_plots.pictures(group_rows(load_runs(raw)))["length_cpu.png"].fingerprint

    before = fingerprint()
    counts = [{"up_to": 100, "reviews": 400, "correct": 1}, {"up_to": None, "reviews": 600, "correct": 1}]
    change(raw / "cpu/lstm.jsonl", 0, test_by_length=counts)
    assert fingerprint() != before
