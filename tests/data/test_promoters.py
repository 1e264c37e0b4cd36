"""Promoters: families of pieces, folds, and what TFDS has prepared."""

import re
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from rnn_jax.data import preparing
from rnn_jax.data.builders.promoters import Ecoli
from rnn_jax.data.folds import folds_of
from rnn_jax.data.prepared import read_examples
from rnn_jax.data.sources.promoters import (
    BASES,
    COMPLEMENT,
    FOLDERS,
    FOLDS,
    PromoterSettings,
    families,
    load,
    one_hot,
    synthetic,
)
from rnn_jax.errors import UserError


def drawn(rng, length):
    return "".join(rng.choice(list(BASES), length))


def test_bases_as_vectors():
    np.testing.assert_array_equal(one_hot("ACGTN"), [*np.eye(4), np.zeros(4)])


def test_pieces_that_share_a_stretch_are_a_family(rng):
    """On either strand, and by way of a third."""
    stretch, other = drawn(rng, 20), drawn(rng, 20)
    pieces = [
        drawn(rng, 30) + stretch,
        stretch + drawn(rng, 30),
        drawn(rng, 50),
        drawn(rng, 10) + stretch.translate(COMPLEMENT)[::-1] + other,
        other[1:] + drawn(rng, 31),  # 19 bases
        other + drawn(rng, 30),
    ]
    found = families(pieces)
    assert list(found == found[0]) == [True, True, False, True, False, True]
    assert len(set(found)) == found.max() + 1 == 3


def test_folds_keep_groups_together_and_labels_apart(rng):
    labels = rng.integers(0, 3, 900)
    groups = np.unique(np.minimum(rng.integers(0, 500, 900), 480), return_inverse=True)[1]
    folds = folds_of(labels, groups, 5, seed=1)
    assert all(len(set(folds[groups == group])) == 1 for group in set(groups))
    counts = np.array([np.bincount(labels[folds == fold], minlength=3) for fold in range(5)])
    assert np.ptp(counts, axis=0).max() <= 4
    assert counts.sum() == 900
    assert not np.array_equal(folds, folds_of(labels, groups, 5, seed=2))
    np.testing.assert_array_equal(folds, folds_of(labels, groups, 5, seed=1))


def sides(split, **settings):
    data = load(PromoterSettings(dataset="synthetic", split=split, **settings))
    return [{each.tobytes() for each in part.sequences} for part in (data.train, data.validation, data.test)]


def test_each_piece_is_tested_on_once_in_a_cross_validation():
    tests = [sides(split)[2] for split in range(FOLDS)]
    assert sum(map(len, tests)) == len(set().union(*tests)) == len(synthetic().sequences)
    for split in (0, FOLDS):
        train, validation, test = sides(split)
        assert not train & validation | train & test | validation & test
    assert sides(0)[2] != sides(FOLDS)[2]


@pytest.fixture
def prepared(tmp_path, published):
    """Pieces of which each second is the one before, a base on, and one is there twice."""
    rng = np.random.default_rng(0)
    long = [drawn(rng, 82) for _ in range(100)]
    pieces = [each[i : i + 81] for each in long for i in range(2)]
    folder, contents = tmp_path / "files", {}
    folder.mkdir()
    for label, url in Ecoli.FILES.items():
        own = [each for i, each in enumerate(pieces) if i // 2 % 2 == int(label)]
        own += [own[0]] * (label == "0")
        text = "".join(f">piece {i}\n{each[:60]}\n{each[60:]}\n" for i, each in enumerate(own))
        (folder / url.rsplit("/")[-1]).write_text(text)
        contents[url] = url.rsplit("/")[-1], text.encode()
    published(Ecoli, contents)
    preparing.prepare("cnn_promoters/ecoli", str(tmp_path), str(folder))
    return str(tmp_path)


def test_what_is_prepared_is_what_the_files_hold(prepared):
    examples = read_examples(Path(prepared) / FOLDERS["ecoli"], "train")
    assert len(examples) == 201
    assert Counter(int(example["label"]) for example in examples) == {0: 101, 1: 100}
    assert {len(example["sequence"]) for example in examples} == {81}
    assert {b"piece 0", b"piece 99"} < {example["id"] for example in examples}


def test_overlapping_pieces_are_on_one_side(prepared):
    def inside(train, test):
        middles = {each[1:].tobytes() for each in train} | {each[:-1].tobytes() for each in train}
        return sum(each[1:].tobytes() in middles or each[:-1].tobytes() in middles for each in test)

    data = load(PromoterSettings(), prepared)
    assert (data.name, len(data.train) + len(data.validation) + len(data.test)) == ("ecoli", 200)
    learnt = [*data.train.sequences, *data.validation.sequences]
    assert inside(learnt, data.test.sequences) == 0
    apart = load(PromoterSettings(families=False), prepared)
    assert inside([*apart.train.sequences, *apart.validation.sequences], apart.test.sequences) > 20


def test_what_is_not_prepared(tmp_path):
    assert load(PromoterSettings(), str(tmp_path)).name == "synthetic"
    words = f"--dataset cnn_promoters/arabidopsis_tata --data-dir {tmp_path},"
    with pytest.raises(UserError, match=re.escape(words)):
        load(PromoterSettings(dataset="arabidopsis_tata"), str(tmp_path))
