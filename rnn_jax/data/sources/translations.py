"""Sentences in two languages.

Multi30k: D. Elliott, S. Frank, K. Sima'an and L. Specia, "Multi30K: Multilingual English-German Image
Descriptions", 2016, arXiv:1605.00459: what photographs show in a sentence, in English, and translated by
professionals; for non-commercial use.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from rnn_jax.data.prepared import data_directory, is_prepared, read_examples
from rnn_jax.data.tokenizers import KINDS
from rnn_jax.settings import above

FOLDER = "multi30k/de_to_en/1.0.0"
KIND = "whole_words"  # of tokens: lower case
SEED = 2016  # of the made-up sentences


@dataclass(frozen=True)
class TranslationSettings:
    """Which sentences, and what counts as a word."""

    dataset: Literal["auto", "multi30k", "synthetic"] = "auto"
    """multi30k, from German to English; or synthetic: made-up sentences in a made-up language, which puts
    verbs last; auto: multi30k where it is prepared."""
    min_count: Annotated[int, above(0)] = 2
    """How often a word occurs in the training sentences to be known."""


class Pairs(NamedTuple):
    """N sentences in two languages."""

    sources: Sequence[str]
    targets: Sequence[str]


class Translations(NamedTuple):
    """A dataset, as its source has it."""

    name: str
    train: Pairs
    validation: Pairs
    test: Pairs


def load(settings: TranslationSettings, data_dir: str | None = None) -> Translations:
    """The sentences.

    Raises:
        UserError: if they are not at hand.
    """
    name = settings.dataset
    if name == "auto":
        name = "multi30k" if is_prepared(data_directory(data_dir) / FOLDER) else "synthetic"
    if name == "synthetic":
        made = synthetic()
        return Translations(
            name, *(Pairs(*zip(*part, strict=True)) for part in (made[400:], made[200:400], made[:200]))
        )
    folder = data_directory(data_dir) / FOLDER

    def part(split: str) -> Pairs:
        examples = read_examples(folder, split, configured=True)
        return Pairs(*([each[language].decode() for each in examples] for language in ("de", "en")))

    return Translations(name, *map(part, ("train", "validation", "test")))


def nearest(found: Pairs, asked: Sequence[str]) -> list[str]:
    """Translations of the sentences that share most words with some others: what needs no network.

    By the cosine of counts times idf, log(N / n) of a word in n of the N sentences.
    """
    words: dict[str, int] = {}
    rows = [
        [words.setdefault(word, len(words)) for word in KINDS[KIND].split(text)] for text in found.sources
    ]
    others = [[words[word] for word in KINDS[KIND].split(text) if word in words] for text in asked]

    def counts(each: list[list[int]]) -> csr_array:
        ends = np.cumsum([0, *map(len, each)])
        columns = np.array([i for row in each for i in row], np.int64)
        return csr_array((np.ones(len(columns)), columns, ends), shape=(len(each), len(words)))

    memory, queries = counts(rows), counts(others)
    memory.sum_duplicates()
    idf = np.log(len(rows) / np.bincount(memory.indices, minlength=len(words)))
    memory = memory.multiply(idf).tocsr()
    norms = np.sqrt(memory.multiply(memory).sum(axis=1))
    scores: NDArray[np.float64] = (queries.multiply(idf).tocsr() @ memory.T).toarray() / np.maximum(
        norms, 1e-12
    )
    return [found.targets[i] for i in scores.argmax(axis=1)]


def synthetic(count: int = 2400) -> list[tuple[str, str]]:
    """Made-up sentences: another word for each word, and the verb at the end."""
    rng = np.random.default_rng(SEED)
    dictionary = {
        "subject": {"a man": "ma hombo", "a woman": "ma femi", "a child": "ma kido", "two dogs": "du hundu"},
        "verb": {"sees": "vidat", "follows": "seket", "carries": "portat", "paints": "pintat"},
        "adjective": {"red": "roso", "small": "piko", "old": "veto", "": ""},
        "object": {"house": "domu", "boat": "navu", "tree": "arbu", "ball": "balu"},
        "place": {"in the snow": "en nevo", "at night": "no noto", "": ""},
    }  # fmt: skip
    pairs = []
    for _ in range(count):
        own = {kind: list(words.items())[rng.integers(len(words))] for kind, words in dictionary.items()}
        english, other = ({kind: pair[side] for kind, pair in own.items()} for side in range(2))
        target = "{subject} {verb} the {adjective} {object} {place}".format(**english)
        source = "{subject} {place} {object} {adjective} {verb}".format(**other)
        pairs.append((" ".join(source.split()) + ".", " ".join(target.split()) + "."))
    return pairs
