"""A classifier as a program: the same answers in a process that knows nothing of this project."""

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from rnn_jax.data.log_count_ratios import count_ratios
from rnn_jax.models.explanation import ratios_of
from rnn_jax.settings import with_flat
from rnn_jax.tasks.exported import export_classifier, serialize
from rnn_jax.tasks.predictor import Predictor
from tests.training.runs import CONFIG, make_data, make_run

pytest.importorskip("flatbuffers", reason="pip install safetensors flatbuffers")

TEXTS = ["word0 word5 word1", "word1 word16", "word3", "unheard word0 " * 9]
PROGRAM = """
import sys
from pathlib import Path
import jax, jax.export, numpy as np
program = jax.export.deserialize(bytearray(Path("classifier.program").read_bytes()))
arrays = np.load("inputs.npz")
np.save("answers.npy", program.call(arrays["tokens"], arrays["lengths"]))
assert not any(name.startswith(("rnn_jax", "flax")) for name in sys.modules)
"""


def encoded(predictor, texts):
    """What a program takes: tokens and lengths."""
    known = {word: 3 + line for line, word in enumerate(predictor.vocabulary.words)}
    sequences = [[1, *[known.get(word, 2) for word in text.split()][-11:]] for text in texts]
    tokens = np.zeros((len(texts), max(map(len, sequences))), np.int32)
    for row, own in zip(tokens, sequences, strict=True):
        row[: len(own)] = own
    return tokens, np.array(list(map(len, sequences)), np.int32)


def test_another_process_gives_the_same_answers(tmp_path):
    make_run(tmp_path / "run").train("test")
    predictor = Predictor(tmp_path / "run")
    (tmp_path / "classifier.program").write_bytes(serialize(export_classifier(tmp_path / "run")))
    tokens, lengths = encoded(predictor, TEXTS)
    np.savez(tmp_path / "inputs.npz", tokens=tokens, lengths=lengths)
    subprocess.run([sys.executable, "-c", PROGRAM], cwd=tmp_path, check=True)
    np.testing.assert_allclose(np.load(tmp_path / "answers.npy"), predictor.probabilities(TEXTS), atol=1e-6)


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param(
            {"cell": "lru", "bidirectional": True, "num_layers": 2, "pooling": "mean_max"},
            marks=pytest.mark.slow,
        ),
        {"cell": "qrnn", "pooling": "attention"},
        {"network": "cnn"},
        {"network": "bag", "pair_buckets": 7},
    ],
    ids=str,
)
def test_batches_and_texts_of_any_size(changes, tmp_path):
    make_run(tmp_path / "run", with_flat(CONFIG, epochs=1, **changes)).train("test")
    predictor, program = Predictor(tmp_path / "run"), export_classifier(tmp_path / "run", ["cpu"])
    for texts in (TEXTS, TEXTS[1:2]):
        answers = program.call(*encoded(predictor, texts))
        np.testing.assert_allclose(answers, predictor.probabilities(texts), atol=1e-6)


def test_padding_is_not_read(tmp_path):
    make_run(tmp_path / "run", with_flat(CONFIG, epochs=1)).train("test")
    program = export_classifier(tmp_path / "run", ["cpu"])
    tokens, lengths = encoded(Predictor(tmp_path / "run"), TEXTS)
    wide = np.full((len(TEXTS), 40), 5, np.int32)
    wide[:, : tokens.shape[1]] = np.where(np.arange(tokens.shape[1]) < lengths[:, None], tokens, 7)
    np.testing.assert_allclose(program.call(wide, lengths), program.call(tokens, lengths), atol=1e-6)


def test_log_count_ratios_are_an_argument(tmp_path):
    data = make_data()
    ratios, given = count_ratios(data.train, np.arange(len(data.train)), 2, seed=0)
    data = data._replace(
        train=replace(data.train, ratios=given),
        validation=ratios.add_to(data.validation),
        test=ratios.add_to(data.test),
        ratios=ratios,
    )
    settings = with_flat(CONFIG, log_count_ratios=2, epochs=1)
    make_run(tmp_path / "run", settings, data=data).train("test")
    predictor, program = Predictor(tmp_path / "run"), export_classifier(tmp_path / "run", ["cpu"])
    tokens, lengths = encoded(predictor, TEXTS[1:2])  # one text: without padding
    answers = program.call(tokens, lengths, ratios_of(tokens, ratios))
    np.testing.assert_allclose(answers, predictor.probabilities(TEXTS[1:2]), atol=1e-6)
