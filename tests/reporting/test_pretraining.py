"""What a language model is worth to a classifier: records, tables and plots."""

import json
import statistics

import pytest

from rnn_jax.errors import UserError
from rnn_jax.reporting import pretraining_plots
from rnn_jax.reporting.pretraining import labels_table, load_labels, load_pretraining, pretraining_table
from rnn_jax.reporting.records import add_record
from tests.reporting.recorded import change, made_up_labels, made_up_pretraining

LABELS = {
    ("without", 100): (0.58, 0.6),
    ("without", 1000): (0.8,),
    ("without", None): (0.88, 0.89, 0.9),
    ("with", 100): (0.85, 0.87),
    ("with", None): (0.93, 0.935, 0.94),
}
EPOCHS = {(0, 0): (0.9, 0.91), (2, 5400): (0.93,), (10, 27_000): (0.94, 0.942)}


@pytest.fixture
def labels(tmp_path):
    file = tmp_path / "pretraining/cpu/labels.jsonl"
    for (arm, examples), accuracies in LABELS.items():
        for seed, accuracy in enumerate(accuracies):
            add_record(file, made_up_labels(arm, examples, seed, accuracy))
    return file


@pytest.fixture
def epochs(tmp_path):
    file = tmp_path / "pretraining/cpu/epochs.jsonl"
    for (number, seconds), accuracies in EPOCHS.items():
        for seed, accuracy in enumerate(accuracies):
            add_record(file, made_up_pretraining(number, seconds, seed, accuracy))
    return file


def percent(accuracies):
    return pytest.approx([100 * accuracy for accuracy in accuracies])


def test_nothing_is_recorded_yet(tmp_path):
    assert load_labels(tmp_path / "labels.jsonl") == []
    assert load_pretraining(tmp_path / "epochs.jsonl") == []
    assert pretraining_plots.pictures([], [], "cpu") == {}


def test_numbers_of_labelled_reviews_come_in_their_order(labels):
    found = load_labels(labels)
    assert [(each.arm, each.examples) for each in found] == [
        *(("with", 100), ("with", 22_500)),
        *(("without", 100), ("without", 1000), ("without", 22_500)),  # null: all
    ]
    assert found[2].accuracies == percent(LABELS["without", 100])


def test_a_line_a_number_of_labelled_reviews(labels):
    spread = (statistics.variance((58, 60)) + statistics.variance((85, 87))) ** 0.5
    assert labels_table(load_labels(labels)).splitlines()[2:] == [
        f"| 100 | 59.00 ± 1.41 | 86.00 ± 1.41 | +27.00 ± {spread:.2f} | 2 | 2 × A |",
        "| 1,000 | 80.00 |  | – | 1 | 2 × A |",
        "| 22,500 | 89.00 ± 1.00 | 93.50 ± 0.50 | +4.50 ± 1.12 | 3 | 2 × A |",
    ]


def test_a_language_model_that_harms_says_so(labels):
    add_record(labels, made_up_labels("with", 1000, 0, 0.79))
    add_record(labels, made_up_labels("with", 1000, 1, 0.79))
    assert "| 1,000 | 80.00 | 79.00 ± 0.00 | −1.00 | 1 and 2 | 2 × A |" in labels_table(load_labels(labels))


def test_a_line_a_language_model(epochs):
    assert pretraining_table(load_pretraining(epochs)).splitlines()[2:] == [
        "| 0 | 0 s | 90.50 ± 0.71 | 2 | 2 × A |",
        "| 2 | 90 min | 93.00 | 1 | 2 × A |",
        "| 10 | 7.5 h | 94.10 ± 0.14 | 2 | 2 × A |",
    ]


@pytest.mark.parametrize(
    ("part", "fields", "complaint"),
    [
        ("result", {"test_accuracy": None}, "a trial"),
        ("config", {"hidden_size": 64}, "differ in hidden_size"),
        ("config", {"train_examples": 102}, "differ in train_examples"),
    ],
)
def test_records_of_labels_that_cannot_be_used_are_refused(labels, part, fields, complaint):
    kept = [line for line in labels.read_text().splitlines() if json.loads(line)["name"] == "with-100"]
    labels.write_text("\n".join(kept) + "\n")
    change(labels, 1, part, **fields)
    with pytest.raises(UserError, match=complaint):
        load_labels(labels)


def test_a_name_says_whether_there_was_a_language_model(labels):
    add_record(labels, made_up_labels("perhaps", 100, 0, 0.5))
    with pytest.raises(UserError, match="perhaps-100 begins neither with without- nor with with-"):
        load_labels(labels)


@pytest.mark.parametrize("field", ["validation_accuracy", "pretraining_seconds", "pretraining_epochs"])
def test_a_missing_field_of_pretraining_is_named(epochs, field):
    epochs.write_text(epochs.read_text().replace(f'"{field}"', '"other"'))
    with pytest.raises(UserError, match=rf"epochs.jsonl, line 1 cannot be read .*lacks {field}"):
        load_pretraining(epochs)


def test_a_refitted_run_has_no_validation_accuracy(epochs):
    lines = epochs.read_text().splitlines()
    line = json.loads(lines[0])
    line["result"]["validation_accuracy"] = None
    epochs.write_text(json.dumps(line) + "\n")
    with pytest.raises(UserError, match="a run without validation reviews"):
        load_pretraining(epochs)


def drawn(axes):
    """The lines by their labels."""
    return {line.get_label(): line for line in axes.lines}


def test_accuracy_over_labelled_reviews_is_drawn_with_its_spread(labels):
    figure = pretraining_plots.over_labels(load_labels(labels))
    (axes,) = figure.axes
    assert axes.get_xscale() == "log"
    lines = drawn(axes)
    assert list(lines["from a language model"].get_xdata()) == [100, 22_500]
    assert list(lines["from a language model"].get_ydata()) == pytest.approx([86, 93.5])
    assert list(lines["from drawn weights"].get_xdata()) == [100, 1000, 22_500]
    assert list(lines["from drawn weights"].get_ydata()) == pytest.approx([59, 80, 89])
    with_one, without = (band for band in axes.collections if band.get_alpha() == 0.15)
    assert without.get_paths()[0].get_extents().ymin == pytest.approx(58)
    assert without.get_paths()[0].get_extents().ymax == pytest.approx(90)
    assert with_one.get_paths()[0].get_extents().ymin == pytest.approx(85)
    figure.canvas.draw()
    assert [label.get_text() for label in axes.get_xticklabels()] == ["100", "1,000", "22,500"]


def test_accuracy_over_minutes_is_drawn_with_epochs(epochs):
    (axes,) = pretraining_plots.over_minutes(load_pretraining(epochs)).axes
    (line,) = axes.lines
    assert list(line.get_xdata()) == [0, 90, 450]
    assert list(line.get_ydata()) == pytest.approx([90.5, 93, 94.1])
    assert [text.get_text() for text in axes.texts] == ["0", "2", "10"]


def test_what_is_recorded_has_a_picture(labels, epochs):
    found = load_labels(labels), load_pretraining(epochs)
    assert sorted(pretraining_plots.pictures(*found, "cpu")) == ["labels_cpu.png", "pretraining_cpu.png"]
    assert list(pretraining_plots.pictures(found[0], [], "gpu")) == ["labels_gpu.png"]
