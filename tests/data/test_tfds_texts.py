"""Labelled texts of data sets that TFDS has prepared: their features and splits are found."""

import re

import numpy as np
import pytest
import tensorflow_datasets as tfds

from rnn_jax.data import tfds_texts
from rnn_jax.data.labelled_settings import LabelledSettings
from rnn_jax.data.labelled_texts import load, originals
from rnn_jax.data.vocabulary import split_words
from rnn_jax.errors import UserError

LABELS = ("yes", "no", "maybe")


class Pairs(tfds.core.GeneratorBasedBuilder, skip_registration=True):
    """Two texts and how they go together; the test split has no labels, as GLUE's have none."""

    name = "pairs"
    VERSION = tfds.core.Version("1.0.0")
    test_label = -1
    supervised = None

    def _info(self):
        features = tfds.features.FeaturesDict(
            {
                "first": tfds.features.Text(),
                "second": tfds.features.Text(),
                "label": tfds.features.ClassLabel(names=LABELS),
                "idx": tfds.features.Scalar(np.int32),
            }
        )
        return tfds.core.DatasetInfo(
            builder=self, description="Pairs.", features=features, supervised_keys=self.supervised
        )

    def _split_generators(self, dl_manager):
        splits = {"train": (60, 0), "validation": (9, 1000), "test": (6, 2000)}
        return {name: self._generate_examples(name, *size) for name, size in splits.items()}

    def _generate_examples(self, split, count, start):
        for i in range(start, start + count):
            label = self.test_label if split == "test" else i % 3
            yield i, {"first": f"First {i}", "second": f"and {LABELS[i % 3]}", "label": label, "idx": i}


@pytest.fixture
def prepared(tmp_path, monkeypatch):
    def prepare(test_label=-1):
        monkeypatch.setattr(Pairs, "test_label", test_label)
        with tfds_texts.quiet():
            Pairs(data_dir=tmp_path, file_format="array_record").download_and_prepare()
        return str(tmp_path)

    return prepare


def texts_of(data_dir, name="pairs", **settings):
    cache_dir = f"{data_dir}/cache"
    return load(LabelledSettings(dataset=f"tfds:{name}", **settings), data_dir, cache_dir)


def test_texts_are_joined_and_labels_have_their_names(prepared):
    texts = texts_of(prepared(), vocabulary_size=1000)
    assert texts.labels == ("maybe", "no", "yes")
    for tokens, label in zip(texts.train.sequences, texts.train.labels, strict=True):
        assert re.fullmatch(rf"<start> first \d+ and {texts.labels[label]}", texts.vocabulary.decode(tokens))


def test_where_the_test_has_no_labels_the_validation_is_tested_on(prepared):
    texts = texts_of(prepared())
    assert [len(texts.train), len(texts.validation), len(texts.test)] == [54, 6, 9]


def test_splits_are_the_data_set_s_own(prepared):
    texts = texts_of(prepared(test_label=1))
    assert [len(texts.train), len(texts.validation), len(texts.test)] == [60, 9, 6]
    assert [rows.tolist() for rows in texts.rows] == [list(range(1, n + 1)) for n in (60, 9, 6)]


def test_rows_are_found_again(prepared, monkeypatch):
    monkeypatch.setattr(tfds_texts, "EXAMPLES", 7)  # several blocks
    data_dir = prepared(test_label=1)
    texts = texts_of(data_dir, vocabulary_size=1000)
    settings = LabelledSettings(dataset="tfds:pairs")
    found = originals(settings, texts.tables[0], texts.rows[0], data_dir)
    assert [where for where, _ in found] == [f"train {n}" for n in range(1, 61)]
    for (_, text), tokens in zip(found, texts.train.sequences, strict=True):
        words = " ".join(split_words(text))
        assert f"<start> {words}" == texts.vocabulary.decode(tokens)


def test_one_text_alone(prepared):
    texts = texts_of(prepared(), text_column="first", vocabulary_size=1000)
    assert texts.vocabulary.words[0] == "first"
    assert not set(texts.vocabulary.words) & {"and", *LABELS}


def test_what_a_data_set_says_is_learnt_from_is_read(prepared, monkeypatch):
    """And no other text: an id, say."""
    monkeypatch.setattr(Pairs, "supervised", ("first", "label"))
    texts = texts_of(prepared(), vocabulary_size=1000)
    assert "first" in texts.vocabulary.words
    assert "and" not in texts.vocabulary.words


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"text_column": "idx"}, r"name a Text .*; it has first \(Text\), idx \(Scalar\), label"),
        ({"label_column": "idx"}, r"name the ClassLabel with --label-column; it has"),
    ],
    ids=str,
)
def test_other_features_are_refused_and_those_there_are_are_named(settings, message, prepared):
    with pytest.raises(UserError, match=message):
        texts_of(prepared(), **settings)


def test_an_unknown_data_set_is_named(tmp_path):
    with pytest.raises(UserError, match="TFDS knows no data set 'no_such_thing'"):
        texts_of(str(tmp_path), "no_such_thing")


def test_a_server_that_does_not_answer_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(tfds_texts, "answers", lambda url: False)
    with pytest.raises(
        UserError, match=r"imdb_reviews is not prepared in .*, and http.* does not answer: prepare"
    ):
        texts_of(str(tmp_path), "imdb_reviews")


def test_several_configurations_are_named(tmp_path):
    for name in ("one", "two"):
        folder = tmp_path / "pairs" / name / "1.0.0"
        folder.mkdir(parents=True)
        (folder / "dataset_info.json").write_text("{}")
    with pytest.raises(UserError, match="choose one of tfds:pairs/one, tfds:pairs/two"):
        texts_of(str(tmp_path))


def test_the_newest_version_counts(tmp_path):
    for version in ("9.0.0", "10.0.0"):
        folder = tmp_path / "pairs" / version
        folder.mkdir(parents=True)
        (folder / "dataset_info.json").write_text("{}")
    assert tfds_texts._prepared(tmp_path, "pairs") == tmp_path / "pairs" / "10.0.0"
    assert tfds_texts._prepared(tmp_path, "none") is None
