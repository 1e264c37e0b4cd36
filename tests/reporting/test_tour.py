"""The tour's page and pictures, from made-up runs."""

import json

import numpy as np
import pytest

from rnn_jax.reporting import tour_plots
from rnn_jax.reporting.records import add_record
from rnn_jax.reporting.runs import load_runs
from rnn_jax.reporting.tour import CHAPTERS, rows_in, tour_page
from rnn_jax.reporting.tour_album import Stop, album
from rnn_jax.settings import to_flat, with_flat
from rnn_jax.tasks import TASKS
from tests.reporting.recorded import made_up


def tour_run(task, preset, seed, accuracy, **settings):
    """The record of a run of the tour."""
    run = made_up(preset, seed, accuracy)
    labels = len(TASKS[task].stand_in(TASKS[task].settings).labels)
    confusion = np.full((labels, labels), 10)
    np.fill_diagonal(confusion, round(accuracy * 10 * (labels - 1) / (1 - accuracy)))
    config = to_flat(with_flat(TASKS[task].settings, seed=seed, **settings))
    result = run.result | {"task": task, "dataset": config["dataset"], "test_confusion": confusion.tolist()}
    return run._replace(config=json.loads(json.dumps({"task": task, **config})), result=result)


def forecast_run(preset, seed, mse, **settings):
    """The record of a run that forecasts."""
    run = made_up(preset, seed, 0.5)
    config = to_flat(with_flat(TASKS["forecasting"].settings, dataset="ett/h1", seed=seed, **settings))
    by_step = [{"steps": 24, "mse": mse, "naive_mse": 0.6, "rse": 0.5, "naive_rse": 0.6}]
    figures = {"validation_mse": mse + 0.05, "test_mse": mse + 0.1, "test_mae": 0.4, "test_coverage": 0.8}
    figures |= {"test_naive_mse": 0.6, "test_naive_mae": 0.5, "test_by_step": by_step}
    figures |= {"task": "forecasting", "dataset": "ett/h1"}
    metrics = [line | {"validation_mse": mse} for line in run.metrics]
    result = {name: value for name, value in run.result.items() if "accuracy" not in name}
    config = json.loads(json.dumps({"task": "forecasting", **config}))
    return run._replace(config=config, result=result | figures, metrics=metrics)


def written_run(task, preset, seed, figures, **settings):
    """The record of a run whose answers are texts, or drawings."""
    run = made_up(preset, seed, 0.5)
    config = to_flat(with_flat(TASKS[task].settings, seed=seed, **settings))
    result = {name: value for name, value in run.result.items() if "accuracy" not in name}
    result |= {"task": task, "dataset": config["dataset"], **figures}
    kept = {name: value for name, value in figures.items() if name.startswith("validation")}
    config = json.loads(json.dumps({"task": task, **config}))
    return run._replace(config=config, result=result, metrics=[line | kept for line in run.metrics])


WRITTEN = {
    "handwriting": {
        "validation_loss": 4.9,
        "test_loss": 5.0,
        "test_offset_loss": 4.7,
        "test_action_loss": 0.3,
        "test_nats_per_drawing": 150.0,
    },
    "translation": {
        "validation_perplexity": 4.4,
        "test_perplexity": 4.5,
        "test_bleu": 41.0,
        "test_nearest_bleu": 10.5,
    },
    "captioning": {
        "validation_perplexity": 20.0,
        "test_perplexity": 21.0,
        "test_bleu": [55.0, 35.0, 20.0, 12.0],
        "test_random_bleu": [40.0, 18.0, 5.0, 2.0],
        "test_frequent_bleu": [45.0, 20.0, 8.0, 3.0],
    },
}


@pytest.fixture
def runs(tmp_path):
    raw = tmp_path / "cpu"
    for seed in (0, 1):
        accuracy = 0.99 - 0.002 * seed
        for preset, more in (("rows", {}), ("cnn", {"network": "cnn", "pooling": "max"})):
            run = tour_run("digits", f"digits_{preset}", seed, accuracy, dataset="mnist", **more)
            add_record(raw / f"digits_{preset}.jsonl", run)
        run = tour_run(
            *("digits", "digits_permuted_lru", seed, 0.95),
            **{"dataset": "mnist", "order": "permuted", "cell": "lru", "block": "residual"},
        )
        add_record(raw / "digits_permuted_lru.jsonl", run)
        run = tour_run("promoters", "promoters_ecoli_lstm", seed, 0.9, dataset="ecoli", split=seed)
        add_record(raw / "promoters_ecoli_lstm.jsonl", run)
        for preset, more, mse in (
            ("ett", {}, 0.4),
            ("ett_linear", {"network": "linear"}, 0.5),
            ("ett_192", {"horizon": 192}, 0.6),
        ):
            name = f"forecasting_{preset}"
            add_record(raw / f"{name}.jsonl", forecast_run(name, seed, mse + 0.1 * seed - 0.05, **more))
        for task, preset, more in (
            ("handwriting", "mixture", {"dataset": "omniglot_strokes"}),
            ("handwriting", "window", {"dataset": "omniglot_strokes", "network": "window"}),
            ("translation", "bahdanau", {"dataset": "multi30k", "attention": "bahdanau"}),
            ("captioning", "luong", {"dataset": "flickr8k_small"}),
        ):
            figures = dict(WRITTEN[task])
            if preset == "window":
                figures["test_loss"] += 0.5
            name = f"{task}_{preset}"
            add_record(raw / f"{name}.jsonl", written_run(task, name, seed, figures, **more))
    return load_runs(tmp_path)


def test_each_chapter_shows_its_rows_and_what_others_reached(runs):
    page = tour_page(runs)
    assert [line for line in page.splitlines() if line.startswith("#")] == [
        "# The tour",
        "## Handwritten digits, row by row",
        "## Handwritten digits, pixel by pixel in a random order",
        "## Characters that a pen draws",
        "## From German to English",
        "## What photographs show",
        "## Promoters of Escherichia coli",
        "## The load of a transformer, hour by hour",
    ]
    assert "| rows | lstm, 1 × 128 | 328,353 | 99.90 ± 0.14 | 98.90 ± 0.14 | 2 | 60 s |" in page
    assert "| cnn | CNN | 328,353 |" in page
    assert "| permuted_lru | lru, 1 × 128, residual blocks |" in page
    detected = "0.9000 | 0.9000 | 0.8000"
    assert f"| ecoli_lstm | lstm, 1 × 128 | 328,353 | {detected} |" in page
    assert "| ett | gru, 1 × 256 | 328,353 | 0.4500 ± 0.0707 | 0.5000 ± 0.0707 |" in page
    assert page.index("| ett_linear | linear |") < page.index("| ett | gru") < page.index("| ett_192 |")
    assert "| GRU |  | 87.3 | [Bai et al., 2018]" in page
    assert "![Promoters of Escherichia coli](plots/tour_promoters_ecoli_cpu.png)" in page
    assert page.index("| window | layer over four points |") < page.index("| mixture | lstm, 1 × 256 |")
    assert (
        "| bahdanau | gru, 1 × 256, attention bahdanau | 328,353 | 4.4000 | 4.5000 | 41.00 ± 0.00 |" in page
    )
    assert "| luong | gru, 1 × 128, attention luong | 328,353 | 55.00 ± 0.00 | 35.00 ± 0.00 |" in page
    assert tour_page([]) == ""


def test_folds_are_the_runs_of_one_row(runs):
    [row] = rows_in(next(each for each in CHAPTERS if each.name == "promoters_ecoli"), runs)
    assert [run.config["split"] for run in row.runs] == [0, 1]


def test_each_chapter_has_a_picture(runs, tmp_path):
    pictures = tour_plots.pictures(runs)
    assert sorted(pictures) == [
        "tour_captioning_cpu.png",
        "tour_digits_permuted_cpu.png",
        "tour_digits_rows_cpu.png",
        "tour_ett_cpu.png",
        "tour_handwriting_cpu.png",
        "tour_promoters_ecoli_cpu.png",
        "tour_translation_cpu.png",
    ]
    for name, picture in pictures.items():
        picture.save(tmp_path / name)
        assert picture.is_in(tmp_path / name)


def test_the_album_holds_its_pictures_and_no_other_file(tmp_path):
    picture = tmp_path / "a.png"
    picture.write_bytes(b"not looked into")
    page = album([Stop("Digits <1>", "98 %", "python -m x", {"a & b": picture})])
    assert "<h2>Digits &lt;1&gt;</h2>" in page
    assert 'alt="a &amp; b" src="data:image/png;base64,bm90IGxvb2tlZCBpbnRv"' in page
    assert "http" not in page.replace("data:", "")
