"""The reviews of IMDb as texts for a language model: with and without a label, never those of the test.

75,000 reviews may be read: the 25,000 of the training split, and 50,000 that nobody has labelled. Of these,
what repeats a test review, a held-out review or a training review is marked (`rnn_jax.data.copies`), and left
out unless it is asked for. Validation is on the reviews that classifiers validate on; the test split of a
language model is a part of the unlabelled reviews, so that no review of IMDb's own test split is learnt from.
"""

import logging
import zipfile
import zlib
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rnn_jax.data import cache, imdb
from rnn_jax.data.copies import copies
from rnn_jax.data.encoded_reviews import SPLIT_SEED, films_of, held_out, load_encoded
from rnn_jax.data.examples import pack
from rnn_jax.data.tokenizers import Tokenizer, encode_all
from rnn_jax.errors import UserError

# Of the file: raise it when tokens, parts or copies would come out otherwise (tokenizers, normalisation, what
# is held out, `SPLIT_SEED`, `rnn_jax.data.copies`, `TEST`), or the layout changes.
VERSION = 2
PARTS = ("train", "validation", "unlabelled", "test")  # of which a review is one
ORIGINALS = ("nothing", "train", "validation", "test", "tested")  # of which an unlabelled review is a copy
TEST = 2_500  # unlabelled reviews that a language model is tested on

log = logging.getLogger(__name__)


class ReviewTexts(NamedTuple):
    """All reviews that may be read, as integers.

    Attributes:
        tokenizer: every token of what is trained on, the most frequent first.
        tokens: one review after the other, `[sum of lengths]`.
        lengths: `[N]`.
        characters: of each, `[N]`.
        part: `[N]`, indices into `PARTS`.
        copy_of: `[N]`, indices into `ORIGINALS`; "tested" are the reviews of the part `test`.
    """

    tokenizer: Tokenizer
    tokens: NDArray[np.int32]
    lengths: NDArray[np.int32]
    characters: NDArray[np.int32]
    part: NDArray[np.int8]
    copy_of: NDArray[np.int8]

    def places(self, *parts: str, with_copies: bool = False) -> NDArray[np.int64]:
        """The reviews of some parts; without copies, unless these are asked for."""
        chosen = np.isin(self.part, [PARTS.index(part) for part in parts])
        return np.flatnonzero(chosen & (with_copies | (self.copy_of == 0)))

    def sequences(self, places: NDArray[np.int64]) -> list[NDArray[np.int32]]:
        """The tokens of some reviews."""
        ends = np.cumsum(self.lengths)
        return [self.tokens[ends[i] - self.lengths[i] : ends[i]] for i in places]

    def counts(self) -> dict[str, int]:
        """How many unlabelled reviews are copies, by what they are a copy of."""
        return {name: int((self.copy_of == i).sum()) for i, name in enumerate(ORIGINALS) if i}


def load(kind: str, data_dir: str | None = None, cache_dir: str | None = None) -> ReviewTexts:
    """Reads the reviews, cutting them into tokens first where that has not been kept.

    Args:
        kind: of the tokenizer.
        data_dir: the TFDS directory.
        cache_dir: where encoded data are kept; see `rnn_jax.data.dataset.load`.

    Raises:
        UserError: if the reviews are not at hand, or a file is damaged.
    """
    folders, name = cache.folders(data_dir, cache_dir), f"imdb_reviews-{kind}-v{VERSION}.npz"
    for folder in folders:
        if (folder / name).is_file():
            return _read(folder / name, kind)
    log.info("Reading the unlabelled reviews of IMDb and looking for copies (once; the result is cached) ...")
    found = _encode(kind, data_dir, cache_dir)
    cache.keep(folders, name, lambda path: cache.write_arrays(path, _arrays(found)))
    return found


def _encode(kind: str, data_dir: str | None, cache_dir: str | None) -> ReviewTexts:
    _, encoded = load_encoded("imdb", data_dir, cache_dir)
    train, unlabelled = imdb.load("train", data_dir).texts, imdb.load("unsupervised", data_dir).texts
    part = np.zeros(len(train) + len(unlabelled), np.int8)
    part[: len(train)][held_out(encoded.train, films_of(encoded.train, "imdb"))] = PARTS.index("validation")
    part[len(train) :] = PARTS.index("unlabelled")

    without_label = pack(map(encoded.vocabulary.encode, unlabelled), np.zeros(len(unlabelled), np.int8))
    copy_of = np.zeros(len(part), np.int8)
    held = part[: len(train)] == PARTS.index("validation")
    originals = {
        "train": encoded.train.take(np.flatnonzero(~held)),
        "validation": encoded.train.take(np.flatnonzero(held)),
        "test": encoded.test,
    }
    for name, those in originals.items():  # of a text that repeats several, the last counts: the test
        copy_of[len(train) :][copies(without_label, those)] = ORIGINALS.index(name)
    left = np.flatnonzero((part == PARTS.index("unlabelled")) & (copy_of == 0))
    part[np.random.default_rng(SPLIT_SEED).permutation(left)[:TEST]] = PARTS.index("test")
    tested, read = (np.flatnonzero(part == PARTS.index(name)) for name in ("test", "unlabelled"))
    repeated = copies(*(without_label.take(places - len(train)) for places in (read, tested)))
    copy_of[read[repeated & (copy_of[read] == 0)]] = ORIGINALS.index("tested")

    texts = [text.replace("<br />", "\n") for text in train + unlabelled]
    counted = np.isin(part, [PARTS.index("train"), PARTS.index("unlabelled")]) & (copy_of == 0)
    tokenizer, documents = encode_all(kind, texts, counted, ends=True)
    lengths = np.array([len(each) for each in documents], np.int32)
    characters = np.array([len(text) for text in texts], np.int32)
    return ReviewTexts(tokenizer, np.concatenate(documents), lengths, characters, part, copy_of)


def _arrays(found: ReviewTexts) -> dict[str, NDArray[Any]]:
    names = np.frombuffer("\0".join(found.tokenizer.tokens).encode(), np.uint8)
    return {"names": names, **{name: array for name, array in found._asdict().items() if name != "tokenizer"}}


def _read(path: Path, kind: str) -> ReviewTexts:
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            names = arrays["names"].tobytes().decode().split("\0")
            return ReviewTexts(Tokenizer(kind, names), *(arrays[name] for name in ReviewTexts._fields[1:]))
    except (OSError, ValueError, KeyError, EOFError, MemoryError, zipfile.BadZipFile, zlib.error) as error:
        raise UserError(f"{path} is damaged ({error}): delete it, and it is made again") from error
