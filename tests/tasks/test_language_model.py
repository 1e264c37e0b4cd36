"""Texts that are packed into a stream, against the same texts each in a row of its own."""

import numpy as np
import pytest

from rnn_jax.settings import with_flat
from rnn_jax.tasks import language_model
from rnn_jax.training.evaluation import make_evaluator
from tests.tasks.cases import PACKED, documents


@pytest.mark.parametrize("cell", ["lstm", "mingru"])
@pytest.mark.parametrize("length", [5, 400])
def test_packed_texts_have_the_figures_of_texts_apart(cell, length):
    corpus = documents(40, 20, 20)

    def evaluate(**changes):
        settings = with_flat(PACKED, cell=cell, **changes)
        data = language_model.data_of(settings, corpus)
        task = language_model.make(settings, data.preprocessor)
        return make_evaluator(task, settings.training.batch_size, 1)(task.init(), data.validation).figures

    packed = evaluate(length=length, batch_size=1)  # in one part, so that none is cut
    apart = evaluate(reading="apart", length=50)
    assert packed.keys() == apart.keys()
    for name, figure in packed.items():
        np.testing.assert_allclose(figure, apart[name], rtol=1e-5, err_msg=name)
    stream = evaluate(reading="stream", length=length, batch_size=1)
    assert abs(stream["loss"] - apart["loss"]) > 1e-5
