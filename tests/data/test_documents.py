"""Texts read apart: each token is predicted once, from what comes before it in its own text."""

import numpy as np
import pytest

from rnn_jax.data.documents import apart
from rnn_jax.data.texts import Documents, join
from rnn_jax.data.tokenizers import END, Tokenizer

TOKENIZER = Tokenizer("bare", ["a", END, "b", "c"])
STOP = TOKENIZER.index(END)


def documents(*sequences):
    lengths = np.array([len(s) for s in sequences], np.int32)
    return Documents(np.concatenate([np.empty(0, np.int32), *sequences]).astype(np.int32), lengths, 10)


@pytest.mark.parametrize("length", [4, 7, 100])
def test_each_token_is_predicted_once_after_its_own_text(length, rng):
    texts = [rng.choice([1, 3, 4], n) for n in (0, 1, 3, 4, 9, 30)]
    split = apart(documents(*texts), TOKENIZER, length, batch_size=4)
    read = {}
    for plan in split.once():
        batch = split.batch(plan)
        for row, example in enumerate(plan.indices):
            tokens, targets = (batch.columns[name] for name in ("tokens", "targets"))
            size = tokens.lengths[row]
            assert 0 < size <= length
            assert targets.lengths[row] == size
            read[example] = tokens.values[row, :size].tolist(), targets.values[row, :size].tolist()
    found = [read[example] for example in sorted(read)]
    assert len(found) == len(split) == sum(-(-(len(text) + 1) // length) for text in texts)
    for text in texts:
        tokens, targets = [], []
        for _ in range(-(-(len(text) + 1) // length)):
            more = found.pop(0)
            tokens, targets = tokens + more[0], targets + more[1]
        assert tokens == [STOP, *text]
        assert targets == [*text, STOP]


def test_joined_there_is_an_end_between_texts():
    joined = join(documents([1, 3], [], [4]), TOKENIZER)
    assert joined.tolist() == [STOP, 1, 3, STOP, STOP, 4, STOP]
