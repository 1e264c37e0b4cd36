"""Small real runs for tests: a task that a few dozen steps can learn, on every device there is."""

import io
import json

import numpy as np
from rich.console import Console

from rnn_jax.data.dataset import Dataset
from rnn_jax.data.examples import pack
from rnn_jax.data.vocabulary import FIRST_WORD, START, Vocabulary
from rnn_jax.settings import with_flat
from rnn_jax.tasks.text_classification import Settings, data_of, make
from rnn_jax.training.loop import Pace, Run
from rnn_jax.training.run_directory import TIMES, RunDirectory
from tests.conftest import DEVICES

WORDS = [f"word{i}" for i in range(17)]
CONFIG = with_flat(
    Settings(),
    dataset="synthetic",
    vocabulary_size=20,
    max_length=12,
    embedding_size=4,
    hidden_size=4,
    epochs=2,
    batch_size=8,
    buckets=2,
    learning_rate=0.05,
)


def make_data(train=44, validation=16, test=24) -> Dataset:
    """Reviews whose label is which of two words comes first."""
    rng = np.random.default_rng(7)

    def part(count):
        sequences, labels = [], np.arange(count, dtype=np.int8) % 2
        for label in labels:
            words = rng.integers(FIRST_WORD + 2, 20, rng.integers(2, 12))
            first, second = sorted(rng.choice(len(words), 2, replace=False))
            words[first], words[second] = (FIRST_WORD, FIRST_WORD + 1)[:: 1 if label else -1]
            sequences.append(np.array([START, *words], np.int32))
        return pack(sequences, labels)

    parts = [part(count) for count in (train, validation, test)]
    return Dataset("synthetic", Vocabulary(WORDS), *parts, test_words=parts[-1].lengths - 1)


def make_run(
    path,
    settings=CONFIG,
    *,
    data=None,
    devices=DEVICES // 2 or 1,
    log_every=2,
    save_every=100,
    test=True,
    console=None,
    **pace,
):
    return Run(
        make(settings),
        data_of(settings, make_data() if data is None else data),
        settings,
        RunDirectory(path),
        num_devices=devices,
        pace=Pace(log_every, save_every, **pace),
        test=test,
        console=console or Console(file=io.StringIO()),
    )


def timeless(records):
    """Records without the fields that no two runs share."""
    return [{k: v for k, v in record.items() if k not in TIMES} for record in records]


def metrics_of(path):
    return timeless(json.loads(line) for line in (path / "metrics.jsonl").read_text().splitlines())
