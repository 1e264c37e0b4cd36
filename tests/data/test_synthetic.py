import hashlib
import random
import re
from collections import Counter

import numpy as np
import pytest

from rnn_jax.data.synthetic import BLAME, CONSTRUCTIONS, PRAISE, _write, generate, reviews

VERDICT_WORD = re.compile(rf"\b({'|'.join(PRAISE + BLAME)})\b")

# What makes a word of praise or blame (here @) not count: something before it in its sentence, something
# after it, or the announcement that what follows is somebody else's opinion.
DOES_NOT_COUNT = re.compile(
    r"\b(?:not|never|nobody|although|even if|admit|granted|matters that|at first|expected|told me|for half an"
    r" hour)\b[^.@]*@"
    r"|@[^.@]*, (?:but|or so)\b"
    r"|@[^@]*\band yet\b"
    r"|\bwrote\.[^@]*@",
    re.IGNORECASE,
)


@pytest.fixture(scope="module")
def training():
    return reviews("train")


@pytest.fixture(scope="module")
def unseen():
    return reviews("test")


def words(text):
    return re.findall(r"[\w']+", text.lower().replace("<br />", " "))


def hide_verdicts(text):
    return VERDICT_WORD.sub("@", text)


def digest(data):
    return hashlib.sha256("\n".join(data.texts).encode() + data.labels.tobytes()).hexdigest()


# --- the dataset as such


def test_the_dataset_is_the_one_that_was_measured(training, unseen):
    # Results on record were made with these texts: whoever changes them on purpose measures again.
    assert digest(training)[:16] == "5d25e9c1ff2d85ef"
    assert digest(unseen)[:16] == "d885acde58c73145"


def test_sizes_and_balance(training, unseen):
    for data, size in ((training, 10_000), (unseen, 2_000)):
        assert len(data.texts) == len(data.labels) == size
        assert data.labels.dtype == np.int8
        assert data.labels.sum() == size // 2


def test_splits_are_disjoint_and_without_duplicates(training, unseen):
    assert len(set(training.texts)) == len(training.texts)
    assert len(set(unseen.texts)) == len(unseen.texts)
    assert not set(training.texts) & set(unseen.texts)


@pytest.mark.parametrize("count", [1, 2, 7])
def test_a_shorter_stream_is_the_beginning_of_a_longer_one(count):
    short, long = generate(5, count), generate(5, 20)
    assert short.texts == long.texts[:count]
    assert short.labels.tolist() == long.labels[:count].tolist()
    assert abs(2 * int(short.labels.sum()) - count) <= 1


def test_seeds_give_different_reviews():
    streams = [generate(seed, 20).texts for seed in (-1, 0, 1, 2)]
    assert len(set().union(*streams)) == 80


def test_labels_do_not_alternate(training):
    first_of_each_pair = training.labels[::2]
    assert 0.45 < first_of_each_pair.mean() < 0.55


@pytest.mark.parametrize("count", [0, -3])
def test_refuses_to_write_nothing(count):
    with pytest.raises(ValueError, match="count"):
        generate(0, count)


def test_refuses_an_unknown_split():
    with pytest.raises(ValueError, match="train, test"):
        reviews("validation")


# --- the texts


def test_lengths(training):
    lengths = [len(words(text)) for text in training.texts]
    assert min(lengths) >= 20
    assert 80 <= np.mean(lengths) <= 100
    assert 200 <= max(lengths) <= 250


def test_vocabulary(training, unseen):
    counts = Counter(word for text in training.texts for word in words(text))
    assert 500 < len(counts) < 1500
    assert min(counts.values()) >= 20
    assert {word for text in unseen.texts for word in words(text)} <= set(counts)


def test_reads_like_text(unseen):
    for text in unseen.texts:
        assert re.fullmatch(r"[A-Za-z0-9 ,.<>/]+", text)
        assert "  " not in text
        for sentence in re.split(r"(?<=\.)(?: |<br /><br />)", text):
            assert re.fullmatch(r"[A-Z][^.<]+\.", sentence)
    assert 0.2 < np.mean(["<br /><br />" in text for text in unseen.texts]) < 0.8


def test_one_word_of_praise_and_one_of_blame(unseen):
    for text in unseen.texts:
        found = VERDICT_WORD.findall(text)
        assert len(found) == 2
        assert len(set(found) & set(PRAISE)) == 1


@pytest.mark.parametrize(
    "template", [template for templates in CONSTRUCTIONS.values() for template in templates]
)
def test_every_construction_occurs(template, unseen):
    pattern = re.escape(template).replace(r"\ \|\ ", "[ <].*")
    pattern = re.sub(r"\\\{(own|other)\\\}", "@", pattern)
    pattern = re.sub(r"\\\{(own|other)\\ opinion\\\}", "[^.,@]+@[^.,@]+", pattern)
    pattern = re.sub(r"\\\{[a-z\\ ]+\\\}", "[^.,@]+", pattern)
    matches = [re.search(pattern, hide_verdicts(text), re.IGNORECASE) for text in unseen.texts]
    assert sum(match is not None for match in matches) >= 20


# --- what the label depends on


def test_exchanging_the_two_words_exchanges_the_label():
    # Both texts come from the same draws, so they are equally likely; and they have the same words.
    for seed in range(500):
        negative, positive = (_write(random.Random(seed), label) for label in (0, 1))
        exchanged = iter(VERDICT_WORD.findall(negative)[::-1])
        assert VERDICT_WORD.sub(lambda _, words=exchanged: next(words), negative) == positive


def bags(data, count, vocabulary):
    X = np.zeros((count, len(vocabulary)), np.float32)
    for row, text in zip(X, data.texts[:count], strict=True):
        for word in words(text):
            row[vocabulary[word]] += 1
    return X


def naive_bayes(X, y):
    log_rates = [
        np.log(X[y == label].sum(0) + 1) - np.log(X[y == label].sum() + X.shape[1]) for label in (0, 1)
    ]
    return log_rates[1] - log_rates[0], 0.0


def logistic_regression(X, y, penalty=10.0):
    X1 = np.c_[X, np.ones(len(X), np.float32)]
    w = np.zeros(X1.shape[1], np.float32)
    for _ in range(6):  # Newton's steps
        p = 1 / (1 + np.exp(-X1 @ w))
        curvature = (X1 * (p * (1 - p))[:, None]).T @ X1 + penalty * np.eye(len(w), dtype=np.float32)
        w += np.linalg.solve(curvature, X1.T @ (y - p) - penalty * w)
    return w[:-1], w[-1]


@pytest.mark.parametrize("learner", [naive_bayes, logistic_regression])
def test_bag_of_words_does_not_solve_it(learner, training, unseen):
    vocabulary = {
        word: i for i, word in enumerate(sorted({w for text in training.texts for w in words(text)}))
    }
    X, X_test = bags(training, 5000, vocabulary), bags(unseen, 2000, vocabulary)
    weights, bias = learner(X, training.labels[:5000])
    assert np.mean((X_test @ weights + bias > 0) == unseen.labels) < 0.55

    # The same learner does find what the words do tell: here, whether the review mentions the cinema.
    cinema = vocabulary["cinema"]
    weights, bias = learner(X, X[:, cinema] > 0)
    assert np.mean((X_test @ weights + bias > 0) == (X_test[:, cinema] > 0)) > 0.8


def test_the_last_word_does_not_solve_it(unseen):
    last_is_praise = [VERDICT_WORD.findall(text)[-1] in PRAISE for text in unseen.texts]
    assert 0.65 < np.mean(np.array(last_is_praise) == unseen.labels) < 0.75


def read(text):
    """The label, for a reader who knows which words praise and what makes a word not count."""
    marked = hide_verdicts(text)
    match = DOES_NOT_COUNT.search(marked)
    assert match, text
    first_does_not_count = marked.index("@") == match.start() + match[0].index("@")
    verdict = VERDICT_WORD.findall(text)[1 if first_does_not_count else 0]
    return verdict in PRAISE


def test_a_reader_solves_it(unseen):
    assert (
        np.mean([read(text) == label for text, label in zip(unseen.texts, unseen.labels, strict=True)]) > 0.99
    )
