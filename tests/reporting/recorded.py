"""Made-up recorded runs."""

import json

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
