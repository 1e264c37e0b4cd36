"""Texts by a language model that has read each text apart."""

import io

import numpy as np
import pytest
from rich.console import Console

from rnn_jax.data.tokenizers import END
from rnn_jax.errors import UserError
from rnn_jax.settings import with_flat
from rnn_jax.tasks import language_model
from rnn_jax.tasks.generator import Generator
from rnn_jax.training.loop import Run
from rnn_jax.training.run_directory import RunDirectory
from tests.tasks.cases import APART, documents


def train(path, **changes):
    settings = with_flat(APART, **{"epochs": 1, "softmax_samples": 0, **changes})
    data = language_model.data_of(settings, documents(40, 16, 16))
    task, console = language_model.make(settings, data.preprocessor), Console(file=io.StringIO())
    Run(task, data, settings, RunDirectory(path), num_devices=1, console=console).train("command")
    return path


def test_a_text_begins_where_another_has_ended(tmp_path):
    """With a prompt or without: the network has read an end before every text."""
    generator = Generator(train(tmp_path, bidirectional=False))
    index = generator.tokenizer.index
    for prompt in ("", "w3 w5"):
        tokens = [index(END), *(index(word) for word in prompt.split())]
        state = generator._start(1)
        for token in tokens:
            one = np.array([[token]], np.int32)
            logits, state = generator._read(generator._params, one, np.ones(1, np.int32), state)
        known = np.exp(logits[0, 1:]) / np.exp(logits[0, 1:]).sum()
        assert generator.next(prompt)[0].probability == pytest.approx(float(known.max()), rel=1e-5)
    assert "\n" in generator("", length=200)[0]  # an end is written as a line end


def test_what_reads_backward_too_cannot_write(tmp_path):
    with pytest.raises(UserError, match="reads backward, too, cannot write"):
        Generator(train(tmp_path))
