"""Made-up recorded runs."""

import json

ACCURACIES = {("cpu", "lstm"): (0.88, 0.89, 0.885), ("cpu", "elman"): (0.85, 0.86), ("gpu", "lstm"): (0.9,)}

CONFIG = {"hidden_size": 32, "vocabulary_size": 10000, "max_length": 500, "truncate": "head"}


def record(folder, preset, seed, accuracy):
    """Writes the three files of a run of two epochs."""
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps(CONFIG | {"cell": preset, "seed": seed}))
    lines = [{"kind": "train", "step": 1, "epoch": 1, "loss": 0.7, "accuracy": 0.5}]
    for epoch in (1, 2):
        lines.append({"kind": "epoch", "step": 10 * epoch, "epoch": epoch})
        for part in ("train", "validation"):
            lines[-1] |= {f"{part}_loss": 0.7 / epoch, f"{part}_accuracy": accuracy - 0.1 / epoch}
    (folder / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    result = {
        "dataset": "imdb",
        "seed": seed,
        "parameters": 328353,
        "epochs_run": 2,
        "best_epoch": 2,
        "validation_accuracy": accuracy + 0.01,
        "test_accuracy": accuracy,
        "test_by_length": [
            {"up_to": 100, "reviews": 400, "correct": round(400 * accuracy) + 8},
            {"up_to": None, "reviews": 600, "correct": round(600 * accuracy) - 8},
        ],
        "train_seconds": 60.0 + seed,
        "examples_per_second": 3000.0,
        "command": f"python -m experiments.imdb_sentiment --seed {seed} --workdir results/raw/seed-{seed}",
        "commit": "0123456789abcdef",
        "versions": {"jax": "0.10.2"},
        "hardware": {"platform": "cpu", "device": "A Processor", "num_devices": 2},
    }
    (folder / "result.json").write_text(json.dumps(result))


def change(file, **fields):
    """Changes fields of a JSON file."""
    file.write_text(json.dumps(json.loads(file.read_text()) | fields))


def make_project(tmp_path):
    """A project with recorded runs, one of them unfinished, and pages that show the table."""
    raw = tmp_path / "results" / "raw"
    for (platform, preset), accuracies in ACCURACIES.items():
        for seed, accuracy in enumerate(accuracies):
            record(raw / platform / preset / f"seed-{seed}", preset, seed, accuracy)
    record(raw / "cpu" / "elman" / "seed-9", "elman", 9, 0.1)
    (raw / "cpu" / "elman" / "seed-9" / "result.json").unlink()
    page = "before\n<!-- table:imdb -->\nold\n<!-- /table -->\nafter\n"
    (tmp_path / "README.md").write_text(page)
    (tmp_path / "results" / "README.md").write_text(page)
    return tmp_path
