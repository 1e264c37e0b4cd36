"""Promoters: pieces of a genome where a gene's transcription begins, against other pieces of it.

R. Umarov and V. Solovyev, "Recognition of prokaryotic and eukaryotic promoters using convolutional deep
learning neural networks", PLoS ONE 12 (2017). 81 bases of E. coli, from 60 before the start to 20 behind it;
251 of Arabidopsis, from 200 before to 50 behind, those with a TATA box.

They have no published split. Windows overlap, more so those that are no promoters: of E. coli, 3,839 pieces
make 1,700 families of pieces that have 20 bases in a row in common, on either strand. A family is on one side
of a split, unless that is asked otherwise: what a network has read it need not recognise.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from rnn_jax.data.examples import hold_out
from rnn_jax.data.folds import folds_of
from rnn_jax.data.prepared import data_directory, is_prepared, read_examples
from rnn_jax.data.vectors import LabelledVectors, Vectors
from rnn_jax.settings import REPEAT, at_least

FOLDERS = {genome: f"cnn_promoters/{genome}/1.0.0" for genome in ("ecoli", "arabidopsis_tata")}
STARTS = {"ecoli": 60, "arabidopsis_tata": 200, "synthetic": 60}  # bases before the start of transcription
LABELS = ("other", "promoter")
LENGTHS = {"ecoli": 81, "arabidopsis_tata": 251, "synthetic": 81}  # bases
BASES = "ACGT"
COMPLEMENT = str.maketrans(BASES, BASES[::-1])
FOLDS = 5
SHARED = 20  # bases in a row that make two pieces a family
VALIDATION = 0.1  # of the pieces that are learnt from
SEED = 2017  # of the made-up pieces


@dataclass(frozen=True)
class PromoterSettings:
    """Which pieces of which genome."""

    dataset: Literal["auto", "ecoli", "arabidopsis_tata", "synthetic"] = "auto"
    """Genome; synthetic: made-up pieces, half of them with the two boxes of bacteria; auto: E. coli where it
    is prepared."""
    split: Annotated[int, at_least(0), REPEAT] = 0
    """Which fifth is tested on: five splits are a cross-validation, the next five another, by others."""
    families: bool = True
    """Keep pieces that overlap on one side of a split; --no-families: split pieces at random, as published,
    each of them once."""


class Pieces(NamedTuple):
    """N pieces of a genome."""

    sequences: list[str]  # of A, C, G and T, all as long
    labels: NDArray[np.int64]  # [N]


def one_hot(sequence: str) -> NDArray[np.float32]:
    """A base as a vector: `[T, 4]`, in the order of the alphabet; what is not known is zeros."""
    letters = np.frombuffer(sequence.encode("ascii"), np.uint8)
    return (letters[:, None] == np.frombuffer(BASES.encode(), np.uint8)).astype(np.float32)


def load(settings: PromoterSettings, data_dir: str | None = None) -> LabelledVectors:
    """The pieces; a fifth is tested on, a tenth of the rest is for validation, families on one side.

    Raises:
        UserError: if they are not at hand.
    """
    name = settings.dataset
    if name == "auto":
        name = "ecoli" if is_prepared(_folder(data_dir, "ecoli")) else "synthetic"
    pieces = synthetic() if name == "synthetic" else read(name, data_dir)
    repeat, fold = divmod(settings.split, FOLDS)
    groups = families(pieces.sequences) if settings.families else np.arange(len(pieces.sequences))
    tested = folds_of(pieces.labels, groups, FOLDS, repeat) == fold
    learnt = np.flatnonzero(~tested)
    _, own = np.unique(groups[learnt], return_inverse=True)
    held = hold_out(pieces.labels[learnt], VALIDATION, settings.split, own)

    def part(chosen: NDArray[np.int64]) -> Vectors:
        return Vectors([one_hot(pieces.sequences[i]) for i in chosen], pieces.labels[chosen])

    return LabelledVectors(
        name, LABELS, part(learnt[~held]), part(learnt[held]), part(np.flatnonzero(tested))
    )


def _folder(data_dir: str | None, genome: str) -> Path:
    return data_directory(data_dir) / FOLDERS[genome]


def read(genome: str, data_dir: str | None = None) -> Pieces:
    """The pieces that TFDS has prepared, each once."""
    examples = read_examples(_folder(data_dir, genome), "train", configured=True)
    labels = {example["sequence"].decode().upper(): int(example["label"]) for example in examples}
    sequences = sorted(labels)
    return Pieces(sequences, np.array([labels[each] for each in sequences]))


def families(sequences: list[str], shared: int = SHARED) -> NDArray[np.int64]:
    """The family of each piece, `[N]`: numbers from 0 on.

    Two pieces are of one family if they have `shared` bases in a row in common, on either strand, or a third
    belongs with both.
    """
    words, rows = [], []
    for row, sequence in enumerate(sequences):
        other = sequence.translate(COMPLEMENT)[::-1]
        last = len(sequence) - shared
        words += [min(sequence[i : i + shared], other[last - i : last - i + shared]) for i in range(last + 1)]
        rows += [row] * (last + 1)
    _, columns = np.unique(words, return_inverse=True)
    size = len(sequences) + columns.max() + 1
    edges = coo_array((np.ones(len(rows), np.int8), (rows, len(sequences) + columns)), shape=(size, size))
    _, family = connected_components(edges, directed=False)
    return np.unique(family[: len(sequences)], return_inverse=True)[1]


def synthetic(count: int = 2000) -> Pieces:
    """Made-up pieces: promoters have TTGACA and TATAAT where bacteria have them, a letter or two changed."""
    rng = np.random.default_rng(SEED)
    start = STARTS["synthetic"]
    sequences, labels = [], np.arange(count) % 2
    for label in labels:
        letters = rng.choice(list(BASES), 81)
        if label:
            for box, place in (("TTGACA", -35), ("TATAAT", -12)):
                changed = np.where(rng.random(6) < 0.15, rng.choice(list(BASES), 6), list(box))
                at = start + place + rng.integers(-1, 2)
                letters[at : at + 6] = changed
        sequences.append("".join(letters))
    return Pieces(sequences, labels)
