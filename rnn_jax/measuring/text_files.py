"""How fast files of texts are encoded and classified, and in how much memory; beside scikit-learn.

Encoding is measured in a process of its own, which alone tells how much memory it takes:
`python -m rnn_jax.measuring.text_files FILE FOLDER` prints a row of figures.
"""

import csv
import json
import random
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rnn_jax.cores import cores
from rnn_jax.data import synthetic
from rnn_jax.data.labelled_settings import LabelledSettings
from rnn_jax.data.labelled_texts import load
from rnn_jax.data.tables import open_table
from rnn_jax.errors import UserError
from rnn_jax.tasks.classified_files import Files, classify_rows
from rnn_jax.tasks.predictor import Predictor

DIFFERENT = 20_000  # synthetic reviews that rows are made from
NAMES = 50_000  # of which each row has two, so that hardly any repeats another


def write_rows(path: Path, count: int) -> None:
    """Writes a CSV file of synthetic reviews with their sentiment, hardly any two of them alike."""
    reviews, rng = synthetic.generate(1, min(DIFFERENT, count)), random.Random(0)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(("text", "label"))
        for number in range(count):
            chosen = number % len(reviews.texts)
            names = f"name{rng.randrange(NAMES)} name{rng.randrange(NAMES)}"
            label = ("negative", "positive")[reviews.labels[chosen]]
            writer.writerow((f"{reviews.texts[chosen]} {names}", label))


def measure_encoding(path: Path, folder: Path) -> dict[str, Any]:
    """Encodes a file in another process: rows a second, and the most memory that was in use."""
    line = [sys.executable, "-m", "rnn_jax.measuring.text_files", str(path), str(folder)]
    done = subprocess.run(line, check=True, stdout=subprocess.PIPE, text=True)
    return {"what": "encode", "library": "rnn_jax", "bytes": path.stat().st_size, **json.loads(done.stdout)}


def encode(path: str, folder: str) -> dict[str, Any]:
    """Encodes a file, of which nothing is kept yet, and gets it ready for training."""
    start = time.perf_counter()
    texts = load(LabelledSettings(train=path), cache_dir=folder)
    seconds = time.perf_counter() - start
    peaks = [resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    rows = sum(map(len, (texts.train, texts.validation, texts.test)))
    tokens = len(texts.train.tokens) + len(texts.validation.tokens) + len(texts.test.tokens)
    return {
        "rows": rows,
        "tokens": tokens,
        "seconds": seconds,
        "cores": cores(),
        "peak_bytes": 1024 * peaks[0],
        "peak_bytes_of_a_worker": 1024 * peaks[1],
    }


def measure_answers(workdir: Path, path: Path, output: Path) -> dict[str, Any]:
    """Classifies a file with a trained run, once everything has been compiled."""
    predictor = Predictor(workdir)
    predictor.answers([text for text, _ in _rows(path)])
    done = classify_rows(predictor, Files(path, output), lambda rows: None)
    return {"what": "classify", "library": "rnn_jax", "rows": done.rows, "seconds": done.seconds}


def measure_scikit_learn(train: Path, path: Path) -> dict[str, Any]:
    """The same with logistic regression on TF-IDF of words and pairs, from one file to the other.

    Raises:
        UserError: if scikit-learn is not installed.
    """
    try:
        from sklearn.feature_extraction.text import TfidfVectorizer
        from sklearn.linear_model import LogisticRegression
        from sklearn.pipeline import make_pipeline
    except ImportError as error:
        raise UserError("scikit-learn is not installed: pip install scikit-learn") from error
    model = make_pipeline(TfidfVectorizer(ngram_range=(1, 2), min_df=2), LogisticRegression(max_iter=1000))
    texts, labels = zip(*_rows(train), strict=True)
    model.fit(texts, labels)
    start, rows = time.perf_counter(), 0
    with path.with_suffix(".sklearn").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        for block in open_table(path).blocks():
            found = model.predict_proba(block.column("text"))
            answers = model.classes_[found.argmax(axis=1)]
            own = block.column("text"), block.column("label"), answers, found.max(axis=1)
            writer.writerows(zip(*own, strict=True))
            rows += len(block)
    return {
        "what": "classify",
        "library": "scikit-learn",
        "rows": rows,
        "seconds": time.perf_counter() - start,
    }


def _rows(path: Path) -> Iterator[tuple[str, str]]:
    for block in open_table(path).blocks():
        yield from zip(block.column("text"), block.column("label"), strict=True)


if __name__ == "__main__":
    print(json.dumps(encode(*sys.argv[1:])))
