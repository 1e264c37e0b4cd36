"""Made-up recorded runs."""

import json
import math

from rnn_jax.reporting.records import Record, add_record

ACCURACIES = {("cpu", "lstm"): (0.88, 0.89, 0.885), ("cpu", "elman"): (0.85, 0.86), ("gpu", "lstm"): (0.9,)}

CONFIG = {"hidden_size": 32, "vocabulary_size": 10000, "max_length": 500, "truncate": "head"}


def made_up(preset, seed, accuracy):
    """The record of a run of two epochs."""
    metrics = [{"kind": "train", "step": 1, "epoch": 1, "loss": 0.7, "accuracy": 0.5}]
    for epoch in (1, 2):
        metrics.append({"kind": "epoch", "step": 10 * epoch, "epoch": epoch})
        for part in ("train", "validation"):
            metrics[-1] |= {f"{part}_loss": 0.7 / epoch, f"{part}_accuracy": accuracy - 0.1 / epoch}
    result = {
        "dataset": "imdb",
        "seed": seed,
        "parameters": 328353,
        "epochs_run": 2,
        "best_epoch": 2,
        "validation_accuracy": accuracy + 0.01,
        "test_accuracy": accuracy,
        "test_examples": 1000,
        "test_by_length": [
            {"up_to": 100, "reviews": 400, "correct": round(400 * accuracy) + 8},
            {"up_to": None, "reviews": 600, "correct": round(600 * accuracy) - 8},
        ],
        "train_seconds": 60.0 + seed,
        "examples_per_second": 3000.0,
        "command": f"python -m experiments.imdb_sentiment --seed {seed} --workdir runs/raw/seed-{seed}",
        "commit": "0123456789abcdef",
        "versions": {"jax": "0.10.2"},
        "hardware": {"platform": "cpu", "device": "A Processor", "num_devices": 2},
    }
    return Record(preset, CONFIG | {"cell": preset, "seed": seed}, metrics, result, None)


def made_up_language_model(preset, seed, loss, dataset="tiny_shakespeare"):
    """The record of a language model of three epochs, a minute each, the second of which was the best."""
    classifier = made_up(preset, seed, 0.5)
    metrics = [
        {
            "kind": "epoch",
            "step": 10 * epoch,
            "epoch": epoch,
            "train_loss": loss,
            "validation_loss": loss + more,
        }
        | {"elapsed_seconds": 60.0 * epoch}
        for epoch, more in ((1, 1.0), (2, 0.0), (3, 0.01))
    ]
    result = {
        name: value
        for name, value in classifier.result.items()
        if "accuracy" not in name and name != "test_by_length"
    }
    result |= {
        "task": "language_model",
        "dataset": dataset,
        "cell": "lstm",
        "tokens": "characters",
        "epochs_run": 3,
        "validation_loss": loss,
        "test_loss": loss + 0.1,
        "test_perplexity": math.exp(loss + 0.1),
        "test_bits_per_character": (loss + 0.1) / math.log(2),
        "test_unknown": 0.0123,
        "train_seconds": 180.0,
        "command": f"python -m experiments.language_model --seed {seed} --workdir runs/raw/seed-{seed}",
    }
    config = {
        "task": "language_model",
        "dataset": dataset,
        "num_layers": 2,
        "hidden_size": 1024,
        "seed": seed,
    }
    return Record(preset, config, metrics, result, None)


def made_up_labels(arm, examples, seed, accuracy):
    """The record of a classifier of so many reviews (None: all), `with` a language model or `without`."""
    run = made_up(f"{arm}-{examples or 'all'}", seed, accuracy)
    return run._replace(config=run.config | {"cell": "gru", "train_examples": examples})


def made_up_pretraining(epochs, seconds, seed, accuracy):
    """The record of a classifier from a language model of so many epochs; its test split was not read."""
    run = made_up(f"epochs-{epochs}", seed, accuracy)
    figures = {"pretraining_epochs": epochs, "pretraining_seconds": seconds, "validation_accuracy": accuracy}
    return run._replace(result=run.result | figures | {"test_accuracy": None, "test_examples": 0})


def record(file, seed, accuracy):
    """Adds the record of a run to a file, which has the name of its row."""
    add_record(file, made_up(file.stem, seed, accuracy))


def write_run(folder, run):
    """Writes what the run of a record would have left in its directory."""
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps(run.config))
    (folder / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in run.metrics))
    (folder / "result.json").write_text(json.dumps(run.result))


def change(file, seed, part="result", **fields):
    """Changes fields of the result, or of the settings, in the line of a seed."""
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    (line,) = (line for line in lines if line["result"]["seed"] == seed)
    line[part] |= fields
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))


def make_project(tmp_path):
    """A project with recorded runs, and pages that show the table."""
    raw = tmp_path / "results" / "raw"
    for (platform, preset), accuracies in ACCURACIES.items():
        for seed, accuracy in enumerate(accuracies):
            record(raw / platform / f"{preset}.jsonl", seed, accuracy)
    page = "before\n<!-- table:imdb -->\nold\n<!-- /table -->\nafter\n"
    (tmp_path / "README.md").write_text(page)
    (tmp_path / "results" / "README.md").write_text(page)
    return tmp_path
