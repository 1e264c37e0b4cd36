"""Sentences in two languages."""

import gzip
import os
from pathlib import Path

import pytest

from rnn_jax.data import preparing
from rnn_jax.data.builders.translations import LANGUAGES, SPLITS, Multi30k
from rnn_jax.data.prepared import data_directory, is_prepared, read_examples
from rnn_jax.data.sources.translations import FOLDER, Pairs, TranslationSettings, load, nearest, synthetic
from rnn_jax.errors import UserError


@pytest.fixture
def prepared(tmp_path, published):
    folder, contents = tmp_path / "files", {}
    folder.mkdir()
    for split in SPLITS:
        for language in LANGUAGES:
            text = "".join(f"{language} {split} Nummer {i}, schön.\n" for i in range(6))
            url = Multi30k.FILES[f"{split}.{language}"]
            contents[url] = url.rsplit("/")[-1], gzip.compress(text.encode())
            (folder / contents[url][0]).write_bytes(contents[url][1])
    published(Multi30k, contents)
    preparing.prepare("multi30k/de_to_en", str(tmp_path), str(folder))
    return str(tmp_path)


def test_what_is_prepared_is_what_the_files_hold(prepared):
    data = load(TranslationSettings(), prepared)
    assert data.name == "multi30k"
    for split, part in zip(("train", "validation", "test"), data[1:], strict=True):
        pairs = set(zip(part.sources, part.targets, strict=True))
        expected = {tuple(f"{own} {split} Nummer {i}, schön." for own in LANGUAGES) for i in range(6)}
        assert pairs == expected


def test_what_is_not_prepared(tmp_path):
    assert load(TranslationSettings(), str(tmp_path)).name == "synthetic"
    with pytest.raises(UserError, match=r"multi30k/de_to_en is not prepared .* --dataset multi30k/de_to_en"):
        load(TranslationSettings(dataset="multi30k"), str(tmp_path))


def test_made_up_sentences_have_one_translation(tmp_path):
    """In the made-up language, a sentence means one thing, and verbs are last."""
    data = load(TranslationSettings(), str(tmp_path))
    assert [len(part.sources) for part in data[1:]] == [2000, 200, 200]
    meanings = {}
    for source, target in synthetic():
        assert meanings.setdefault(source, target) == target
        assert source.rstrip(".").split()[-1] in {"vidat", "seket", "portat", "pintat"}


def test_the_nearest_sentence_shares_rare_words():
    sources = ["der Hund läuft", "der Mann läuft", "der Mann singt", "der der der"]
    found = Pairs(sources, ["dog", "man runs", "man sings", "the"])
    asked = ["Hund der", "der Mann der singt", "läuft läuft Mann", "Unbekannt"]
    assert nearest(found, asked)[:3] == ["dog", "man sings", "man runs"]


def test_the_real_ones():
    folder = data_directory(os.environ.get("TFDS_DATA_DIR")) / FOLDER
    if not is_prepared(folder):
        pytest.skip("not prepared: set TFDS_DATA_DIR")
    data = load(TranslationSettings(), str(folder.parents[2]))
    assert [len(part.sources) for part in data[1:]] == [29_000, 1_014, 1_000]
    examples = read_examples(Path(folder), "validation")
    assert {each["de"].decode() for each in examples} == set(data.validation.sources)
    where = data.validation.sources.index("Eine Gruppe von Männern lädt Baumwolle auf einen Lastwagen")
    assert data.validation.targets[where] == "A group of men are loading cotton onto a truck"
