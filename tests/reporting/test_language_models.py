"""Language models among the recorded runs: their table, and their curves."""

import math
import re
import statistics

import pytest

from rnn_jax.errors import UserError
from rnn_jax.reporting import language_model_plots
from rnn_jax.reporting.language_models import duration, language_models_table, model_rows, published_table
from rnn_jax.reporting.records import add_record
from rnn_jax.reporting.runs import group_rows, load_runs, rows_of
from rnn_jax.reporting.tables import commands
from tests.reporting.recorded import change, made_up_language_model


@pytest.fixture
def add(raw):
    """Adds the record of a language model; returns its file."""

    def call(preset, seed, loss, platform="cpu", **more):
        file = raw / platform / f"{preset}.jsonl"
        add_record(file, made_up_language_model(preset, seed, loss, **more))
        return file

    return call


def cells(table):
    """The cells of each line, by the heads of their columns."""
    head, _, *lines = ([cell.strip() for cell in line.split("|")[1:-1]] for line in table.splitlines())
    return [dict(zip(head, line, strict=True)) for line in lines]


def test_language_models_lie_beside_classifiers_and_change_nothing_of_them(raw, add):
    before = group_rows(load_runs(raw))
    add("characters", 0, 1.5)
    add("reviews", 0, 4.4, dataset="imdb")
    runs = load_runs(raw)
    after = group_rows(runs)
    assert [row.name for row in after] == [row.name for row in before]
    assert [row.values("test_accuracy") for row in after] == [row.values("test_accuracy") for row in before]
    assert [row.name for row in model_rows(runs)] == ["reviews", "characters"]  # by text


def test_models_of_a_text_come_by_platform_the_weakest_first(raw, add):
    add("good", 0, 1.5)
    add("weak", 0, 1.7)
    add("elsewhere", 0, 1.9, platform="gpu")
    add("another", 0, 1.4, dataset="another")
    assert [row.preset for row in model_rows(load_runs(raw))] == ["another", "weak", "good", "elsewhere"]


def test_a_row_is_the_mean_over_its_seeds(raw, add):
    losses = (1.5, 1.6)
    for seed, loss in enumerate(losses):
        add("characters", seed, loss)
    (row,) = cells(language_models_table(model_rows(load_runs(raw))))
    tested = [math.exp(loss + 0.1) for loss in losses]
    assert row == {
        "row": "characters",
        "text": "tiny_shakespeare",
        "tokens": "characters",
        "cell": "lstm",
        "layers × H": "2 × 1,024",
        "parameters": "328,353",
        "validation perplexity": f"{(math.exp(1.5) + math.exp(1.6)) / 2:.2f}",
        "test perplexity": f"{statistics.mean(tested):.2f} ± {statistics.stdev(tested):.2f}",
        "nats a token": "1.6500",
        "bits a character": f"{1.65 / math.log(2):.4f}",
        "unknown %": "1.23",
        "seeds": "2",
        "time": "3 min",
        "on": "2 × A",
    }


def test_a_model_that_reads_both_ways_says_so(raw, add):
    file = add("reviews", 0, 4.4)
    change(file, 0, "config", bidirectional=True)
    (row,) = cells(language_models_table(model_rows(load_runs(raw))))
    assert row["layers × H"] == "2 × 1,024, both directions"


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(59, "59 s"), (120, "2 min"), (7140, "119 min"), (7200, "2.0 h"), (45_000, "12.5 h")],
)
def test_times_in_minutes_or_hours(seconds, shown):
    assert duration(seconds) == shown


def test_published_figures_have_sources():
    rows = cells(published_table())
    shown = {row["published"]: row["source"] for row in rows}
    assert shown.keys() == {"1.88", "1.548", "1.4697", "130.3", "86.7", "84.1", "65.6"}
    assert all(re.fullmatch(r"\[[^]]+\]\(https://\S+\)", source) for source in shown.values())
    assert shown["86.7"].endswith("issues/281)")
    assert shown["84.1"].endswith("issues/415)")


@pytest.mark.parametrize("field", ["validation_loss", "test_perplexity", "test_unknown", "cell", "hardware"])
def test_a_missing_field_of_a_language_model_is_named(raw, add, field):
    file = add("characters", 0, 1.5)
    file.write_text(file.read_text().replace(f'"{field}"', '"other"'))
    with pytest.raises(UserError, match=rf"characters.jsonl, line 1 cannot be read .*lacks {field}"):
        load_runs(raw)


def test_a_language_model_that_was_not_tested_is_no_result(raw, add):
    file = add("characters", 0, 1.5)
    change(file, 0, test_loss=None, test_perplexity=None)
    with pytest.raises(UserError, match=r"characters.jsonl, line 1 cannot be read .*a trial"):
        load_runs(raw)


def test_models_of_other_settings_do_not_make_a_row(raw, add):
    file = add("characters", 0, 1.5)
    add("characters", 1, 1.5)
    change(file, 1, "config", tied=False)  # the default, which an older record does not name
    model_rows(load_runs(raw))
    change(file, 1, "config", tied=True)
    with pytest.raises(UserError, match="cpu/characters differ in tied"):
        model_rows(load_runs(raw))


def test_a_task_that_nobody_knows_is_read_with_what_all_have(raw, add):
    file = add("other", 0, 1.5)
    change(file, 0, task="tagging", test_loss=None)
    before = len(model_rows(load_runs(raw)))
    assert before == 0
    assert {run.task for run in load_runs(raw)} == {"text_classification", "tagging"}
    assert [row.preset for row in rows_of("text_classification", load_runs(raw))] == ["elman", "lstm", "lstm"]


def test_a_command_names_the_weights_that_it_starts_from(raw, add):
    file = add("characters", 1, 1.5)
    line = "python -m experiments.language_model --seed 1 --init-from runs/other/seed-0 --workdir runs/seed-1"
    change(file, 1, command=line)
    (shown,) = commands(model_rows(load_runs(raw))).splitlines()
    assert "--seed N --init-from runs/other/seed-0 --workdir runs/seed-N`, N = 1;" in shown


def test_a_picture_for_each_text_and_platform(raw, add):
    add("characters", 0, 1.5)
    add("more", 0, 1.4)
    add("elsewhere", 0, 1.4, platform="gpu")
    add("words", 0, 4.5, dataset="wikitext2")
    pictures = language_model_plots.pictures(model_rows(load_runs(raw)))
    assert sorted(pictures) == [
        "language_model_tiny_shakespeare_cpu.png",
        "language_model_tiny_shakespeare_gpu.png",
        "language_model_wikitext2_cpu.png",
    ]


def test_curves_are_perplexity_over_minutes_with_a_ring_at_the_best_epoch(raw, add):
    for seed, loss in enumerate((1.5, 1.6)):
        add("characters", seed, loss)
    (axes,) = language_model_plots.perplexities(model_rows(load_runs(raw))).axes
    curves = [line for line in axes.lines if len(line.get_xdata()) > 1]
    rings = [line for line in axes.lines if len(line.get_xdata()) == 1]
    for loss, curve, ring in zip((1.5, 1.6), curves, rings, strict=True):
        assert list(curve.get_xdata()) == [1, 2, 3]
        assert list(curve.get_ydata()) == pytest.approx([math.exp(loss + more) for more in (1, 0, 0.01)])
        assert list(ring.get_xdata()) == [2]
        assert list(ring.get_ydata()) == pytest.approx([math.exp(loss)])
    low, high = axes.get_ylim()
    assert low < math.exp(1.5)
    assert math.exp(1.61) < high < math.exp(2.5)  # the first epochs would press the others together
    assert [text.get_text() for text in axes.figure.legends[0].get_texts()] == ["characters"]
