import logging
import os
from pathlib import Path

import numpy as np
import pytest

from rnn_jax.data import cache, dataset, imdb, synthetic
from rnn_jax.data.log_count_ratios import ratio_features
from rnn_jax.data.reviews import Reviews
from rnn_jax.data.vocabulary import BYTES
from rnn_jax.errors import UserError

NOTHING = Reviews([], np.zeros(0, np.int8))


def reads(name, **settings):
    return dataset.TextSettings(dataset=name, vocabulary_size=200, max_length=50, **settings)


def made_up(split, data_dir=None):
    """Reviews in place of IMDb's."""
    return synthetic.generate({"train": 1, "test": 2}[split], {"train": 60, "test": 20}[split])


def test_validation_reviews_are_held_out_of_training_once_and_for_all():
    data = dataset.load(reads("synthetic"))
    assert (len(data.train), len(data.validation), len(data.test)) == (9000, 1000, 2000)
    assert data.validation.labels.mean() == 0.5
    again = dataset.load(reads("synthetic", train_examples=100))
    np.testing.assert_array_equal(data.validation.tokens, again.validation.tokens)
    train = {s.tobytes() for s in data.train.sequences}
    assert len(again.train) == 100
    assert again.train.labels.mean() == 0.5
    assert {s.tobytes() for s in again.train.sequences} <= train


def test_a_refit_trains_on_all_of_the_training_split():
    plain = dataset.load(reads("synthetic"))
    data = dataset.load(reads("synthetic", refit=True, log_count_ratios=1))
    assert (len(data.train), len(data.validation), len(data.test)) == (10_000, 0, 2000)
    parts = [s.tobytes() for part in (plain.train, plain.validation) for s in part.sequences]
    assert sorted(s.tobytes() for s in data.train.sequences) == sorted(parts)
    np.testing.assert_array_equal(data.test.tokens, plain.test.tokens)


def test_what_the_network_reads_is_cut_and_known():
    data = dataset.load(reads("synthetic"))
    assert data.vocabulary.size == 200
    for part in (data.train, data.validation, data.test):
        assert part.tokens.max() < 200
        assert part.lengths.max() <= 50
    np.testing.assert_array_equal(np.minimum(data.test_words + 1, 50), data.test.lengths)
    assert data.test_words.max() > 50


def test_bytes_are_those_of_the_same_reviews():
    whole = {"dataset": "synthetic", "truncate": "tail"}
    words = dataset.load(dataset.TextSettings(**whole, max_length=1000))
    data = dataset.load(
        dataset.TextSettings(**whole, max_length=6000, tokens="bytes", vocabulary_size=BYTES.size)
    )
    for part in ("train", "validation", "test"):
        of_words, of_bytes = getattr(words, part), getattr(data, part)
        np.testing.assert_array_equal(of_words.labels, of_bytes.labels)
        for one, other in zip(of_words.sequences[:100], of_bytes.sequences[:100], strict=True):
            text = data.vocabulary.decode(other)
            assert words.vocabulary.encode(text).tolist() == one[1:].tolist()
    np.testing.assert_array_equal(data.test_words, words.test_words)
    texts = [data.vocabulary.decode(tokens) for tokens in data.test.sequences]
    assert texts == synthetic.reviews("test").texts  # as they were written


def test_log_count_ratios_come_with_every_token(monkeypatch, tmp_path):
    """Counted of the training part alone; those of training reviews without their own fold."""
    data = dataset.load(reads("synthetic", log_count_ratios=2, train_examples=200))
    plain = dataset.load(reads("synthetic", train_examples=200))
    assert data.ratios is not None
    for part, without in zip(data[2:5], plain[2:5], strict=True):
        assert part.ratios.shape == (len(part.tokens), ratio_features(2))
        np.testing.assert_array_equal(part.tokens, without.tokens)
    np.testing.assert_array_equal(data.test.ratios, data.ratios.add_to(plain.test).ratios)
    assert not np.allclose(data.train.ratios, data.ratios.add_to(plain.train).ratios)


def test_more_training_reviews_than_there_are():
    with pytest.raises(UserError, match="--train-examples 9001 is more than the 9000"):
        dataset.load(reads("synthetic", train_examples=9001))


def test_imdb_is_read_once_and_then_taken_from_the_cache(tmp_path, monkeypatch):
    monkeypatch.setattr(imdb, "load", made_up)
    first = dataset.load(reads("imdb"), data_dir=str(tmp_path / "tfds"))
    assert cache.path_for(tmp_path / "tfds" / "rnn_jax", "imdb_reviews").is_file()
    monkeypatch.setattr(imdb, "load", None)
    second = dataset.load(reads("imdb"), data_dir=str(tmp_path / "tfds"))
    assert second.name == "imdb"
    np.testing.assert_array_equal(first.train.tokens, second.train.tokens)


def test_the_cache_alone_is_enough(tmp_path, monkeypatch):
    monkeypatch.setattr(imdb, "load", made_up)
    dataset.load(reads("imdb"), data_dir=str(tmp_path / "tfds"), cache_dir=str(tmp_path / "cache"))
    assert not (tmp_path / "tfds").exists()
    monkeypatch.setattr(imdb, "load", None)
    data = dataset.load(reads("auto"), data_dir=str(tmp_path / "no"), cache_dir=str(tmp_path / "cache"))
    assert data.name == "imdb"


def test_a_cache_that_cannot_lie_beside_the_data_lies_at_home(tmp_path, monkeypatch):
    monkeypatch.setattr(imdb, "load", made_up)
    (tmp_path / "tfds").write_text("a file, where no folder can be made")
    dataset.load(reads("imdb"), data_dir=str(tmp_path / "tfds"))
    assert cache.path_for(Path(os.environ["XDG_CACHE_HOME"]) / "rnn_jax", "imdb_reviews").is_file()


def test_auto_prepares_imdb_where_it_can_be_downloaded(tmp_path, monkeypatch):
    prepared = []
    monkeypatch.setattr(imdb, "can_download", lambda: True)
    monkeypatch.setattr(imdb, "prepare", prepared.append)
    monkeypatch.setattr(imdb, "load", made_up)
    assert dataset.load(reads("auto"), data_dir=str(tmp_path)).name == "imdb"
    assert prepared == [str(tmp_path)]


def test_auto_falls_back_to_synthetic_with_a_warning_that_cannot_be_missed(tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(imdb, "can_download", lambda: False)
    with caplog.at_level(logging.WARNING, logger="rnn_jax"):
        data = dataset.load(reads("auto"), data_dir=str(tmp_path))
    assert data.name == "synthetic"
    assert "SYNTHETIC REVIEWS" in caplog.text
    assert "prepare_data" in caplog.text


def test_auto_falls_back_when_the_download_fails(tmp_path, monkeypatch):
    def fail(data_dir):
        raise UserError("the connection broke")

    monkeypatch.setattr(imdb, "can_download", lambda: True)
    monkeypatch.setattr(imdb, "prepare", fail)
    assert dataset.load(reads("auto"), data_dir=str(tmp_path)).name == "synthetic"


def test_imdb_that_is_not_prepared_is_not_replaced(tmp_path):
    with pytest.raises(UserError, match="prepare_data"):
        dataset.load(reads("imdb"), data_dir=str(tmp_path))


def test_a_damaged_cache_is_not_trained_on(tmp_path):
    path = cache.path_for(tmp_path, "imdb_reviews")
    path.write_bytes(b"something else")
    with pytest.raises(UserError, match="is damaged"):
        dataset.load(reads("imdb"), cache_dir=str(tmp_path))
