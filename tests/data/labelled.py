"""Labelled texts for tests."""

import numpy as np

LABELS = ("fish", "meat", "fruit")


def menu(count, seed=0):
    """Rows of words that tell their label."""
    rng = np.random.default_rng(seed)
    rows = []
    for number in range(count):
        label = LABELS[number % 3]
        words = [f"{label}{rng.integers(9)}", *(f"word{rng.integers(40)}" for _ in range(rng.integers(1, 9)))]
        rows.append((" ".join([*words, f"unique{number}"]), label))
    return rows


def words_of(texts, part):
    """The texts of a split as words, with their labels."""
    examples = getattr(texts, part)
    return [
        (texts.vocabulary.decode(tokens), texts.labels[label])
        for tokens, label in zip(examples.sequences, examples.labels, strict=True)
    ]
