"""Trains NB-SVM, a linear baseline, on the same reviews as the networks, and evaluates it.

C is chosen on the validation reviews. Nothing in it is random: there is one run.
"""

import time
from dataclasses import dataclass

import numpy as np

from experiments.command_line import Place, command_line, parse, run
from rnn_jax.data import dataset as datasets
from rnn_jax.data.dataset import TextSettings
from rnn_jax.data.examples import pack
from rnn_jax.errors import UserError
from rnn_jax.models.nb_svm import count_ngrams, fit
from rnn_jax.tasks.labels import answers_file
from rnn_jax.tasks.text_classifier import count_by_length
from rnn_jax.training.environment import origin
from rnn_jax.training.run_directory import RunDirectory

CHOICES_OF_C = (0.003, 0.01, 0.03, 0.1, 0.3)


@dataclass(frozen=True)
class Options:
    """Trains NB-SVM, a linear baseline, on the same reviews as the networks, and evaluates it."""

    workdir: Place
    """Directory of the run: settings and result."""
    dataset: datasets.Name = "auto"
    """Reviews to train on; auto: IMDb where it is at hand or can be downloaded, else synthetic ones."""
    ngrams: int = 3
    """Longest n-grams, in words, from 1 to 3."""
    refit: bool = False
    """Train on the validation reviews, too, once C has been chosen on them."""
    vocabulary_size: int = 200_000
    """Number of token indices; by default, more than there are words in IMDb."""
    max_length: int = 10_000
    """Longest review in tokens; by default, longer than any."""
    data_dir: Place | None = None
    """TFDS directory; by default $TFDS_DATA_DIR, or ~/tensorflow_datasets."""
    cache_dir: Place | None = None
    """Where the encoded dataset is kept; by default beside the TFDS data."""


def main() -> None:
    """Chooses C, trains, and reads the test reviews once."""
    options = parse(Options)
    if not 1 <= options.ngrams <= 3:
        raise UserError(f"--ngrams {options.ngrams}: must be from 1 to 3")
    directory = RunDirectory(options.workdir)
    reads = TextSettings(
        dataset=options.dataset,
        vocabulary_size=options.vocabulary_size,
        max_length=options.max_length,
        truncate="head",
    )
    data = datasets.load(reads, options.data_dir, options.cache_dir)
    config = {
        "network": "nb_svm",
        "vocabulary_size": data.vocabulary.size,
        "max_length": int(max(part.lengths.max() for part in (data.train, data.validation, data.test))),
        "truncate": "head",
        "ngrams": options.ngrams,
        "refit": options.refit,
    }
    directory.check_baseline(config)
    if (result := directory.read_result()) is not None:
        print(f"{options.workdir} has finished already: test accuracy {result['test_accuracy']:.2%}")
        return
    start = time.perf_counter()
    train, validation = data.train, data.validation
    ngrams = count_ngrams(train, options.ngrams)
    features, held_out = ngrams.features(train), ngrams.features(validation)
    accuracies = {}
    for c in CHOICES_OF_C:
        accuracies[c] = fit(features, train.labels, c).correct(held_out, validation.labels).mean()
        print(f"C = {c}: validation accuracy {accuracies[c]:.2%}", flush=True)
    c = max(CHOICES_OF_C, key=lambda c: accuracies[c])
    if options.refit:
        labels = np.concatenate([train.labels, validation.labels])
        train = pack([*train.sequences, *validation.sequences], labels)
        ngrams = count_ngrams(train, options.ngrams)
        features = ngrams.features(train)
    machine = fit(features, train.labels, c)
    seconds = time.perf_counter() - start
    correct = machine.correct(ngrams.features(data.test), data.test.labels)
    result = {
        "dataset": data.name,
        "network": "nb_svm",
        "seed": 0,
        "parameters": len(machine.weights) + 1,
        "epochs_run": 0,
        "best_epoch": 0,
        "validation_accuracy": accuracies[c],
        "test_accuracy": correct.mean(),
        "test_examples": len(correct),
        "test_by_length": count_by_length(correct, data.test_words),
        "train_seconds": round(seconds, 3),
        "examples_per_second": round(len(train) / seconds, 1),
        **origin(command_line("nb_svm"), num_devices=1, others=("scikit-learn", "scipy")),
    }
    files = {"test_correct.txt": answers_file(correct)}
    directory.write_baseline(config | {"c": c}, result, files)
    print(f"{data.name} reviews, NB-SVM: test accuracy {correct.mean():.2%} with C = {c} · {seconds:.0f} s")


if __name__ == "__main__":
    run(main)
