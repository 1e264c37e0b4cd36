"""Texts as TFDS has prepared them."""

import json

import pytest

from rnn_jax.data import texts
from rnn_jax.errors import UserError


@pytest.fixture
def prepared(tmp_path, monkeypatch):
    """A folder whose splits have two examples each, and whether they are in order."""
    folder = tmp_path / texts.PREPARED["wikitext2"]
    folder.mkdir(parents=True)
    examples = [{"text": b"one "}, {"text": b"two"}]
    monkeypatch.setattr(texts, "read_examples", lambda folder, split: examples)

    def load(**info):
        (folder / "dataset_info.json").write_text(json.dumps(info))
        settings = texts.CorpusSettings(dataset="wikitext2", tokens="words")
        return texts.load(settings, str(tmp_path))

    return load


def test_examples_are_joined_in_their_order(prepared):
    corpus = prepared(disableShuffling=True)
    assert corpus.tokenizer.decode(corpus.train.tokens) == "one two"
    assert corpus.train.characters == 7


def test_examples_that_were_shuffled_are_no_text(prepared):
    with pytest.raises(UserError, match="has 2 examples in random order: prepare one a split"):
        prepared()
