"""Captioning: a photograph seen, and a sentence about it written."""

from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from numpy.typing import NDArray

from rnn_jax.cells.cell import Array
from rnn_jax.data.batches import Batch, Bucketed, Sequences
from rnn_jax.data.buckets import choose_boundaries
from rnn_jax.data.kept import Kept
from rnn_jax.data.sources import photographs
from rnn_jax.data.sources.photographs import (
    CAPTIONS,
    KIND,
    SEED,
    SIZE,
    Captioned,
    Photographs,
    PhotographSettings,
)
from rnn_jax.data.tokenizers import END, UNKNOWN, Tokenizer, encode_parts
from rnn_jax.models.captioner import Captioner
from rnn_jax.models.decoder import DecoderSettings
from rnn_jax.models.embedding import EmbeddingSettings
from rnn_jax.models.recurrent import RecurrentSettings
from rnn_jax.seeds import make_key
from rnn_jax.settings import above
from rnn_jax.tasks.bleu import bleu, check_bleu
from rnn_jax.tasks.writing import Kind, Written, make_recipe, write
from rnn_jax.training.recipe import Data, Places
from rnn_jax.training.settings import TrainingSettings
from rnn_jax.training.task import Report
from rnn_jax.training.weights import Opened

GRAIN = 4  # lengths of captions are padded to multiples of this
LONGEST, KNOWN = 41, 2545  # tokens of a caption of Flickr8k, and kinds
ORDERS = 4  # of n-grams, up to which BLEU is reported


@dataclass(frozen=True)
class Settings:
    """The settings of a run."""

    data: PhotographSettings = PhotographSettings()
    decoder: DecoderSettings = DecoderSettings(
        recurrent=RecurrentSettings(cell="gru", hidden_size=128, dropout=0.4),
        embedding=EmbeddingSettings(embedding_size=128, word_dropout=0.1, embedding_dropout=0.3),
    )
    training: TrainingSettings = TrainingSettings(
        learning_rate=2e-3, schedule="cosine", epochs=12, batch_size=32, average_decay=0.998
    )
    buckets: Annotated[int, above(0)] = 3
    """Number of lengths that batches are padded to; each is compiled once."""


@dataclass(frozen=True)
class Words(Kept):
    """What is known of captions.

    Attributes:
        tokens: those that are written, index 1 first.
        most: tokens of the longest.
    """

    FILE = "words.json"

    tokens: tuple[str, ...]
    most: int

    @cached_property
    def written(self) -> Tokenizer:
        """Of what is written."""
        return Tokenizer(KIND, self.tokens)


def make_model(settings: Settings, known: Words) -> Captioner:
    """The network, with its initial weights."""
    tokenizer = known.written
    return Captioner(
        settings.decoder,
        vocabulary_size=tokenizer.size,
        end=tokenizer.index(END),
        rngs=nnx.Rngs(make_key(settings.training.seed)),
    )


def report(texts: list[str] | None, test: Any) -> Report:
    """BLEU-1 to 4 of what has been written, of captions drawn at random, and of the most frequent caption."""
    names = {"": "", "random_": "random", "frequent_": "frequent"}
    if texts is None:
        return Report({f"test_{name}bleu": [] for name in names}, {})
    references = test.beside["references"].tolist()
    fields = {}
    for name, column in names.items():
        own = test.beside[column].tolist() if column else texts
        fields[f"test_{name}bleu"] = [bleu(own, references, order) for order in range(1, ORDERS + 1)]
    return Report(fields, {"test_captions.txt": "".join(f"{text}\n" for text in texts)})


def load(settings: Settings, places: Places) -> Data:
    """The photographs; see `rnn_jax.data.sources.photographs.load` and `check_bleu` for errors."""
    check_bleu()
    return data_of(settings, photographs.load(settings.data, places.data_dir))


def data_of(settings: Settings, found: Photographs) -> Data:
    """The splits of a dataset in batches."""
    parts = found.train, found.validation, found.test
    texts = [[text for own in part.captions for text in own] for part in parts]
    tokenizer, encoded = encode_parts(KIND, texts, settings.data.min_count, ends=True)
    known = Words(tokenizer.tokens, max(len(row) for part in encoded for row in part))

    longest = np.array([len(row) for row in encoded[0]], np.int32).reshape(-1, CAPTIONS).max(axis=1)
    boundaries = choose_boundaries(longest, known.most, settings.buckets, GRAIN)

    def batches(part: Captioned, rows: list[NDArray[np.int32]], more: dict[str, Any]) -> Bucketed:
        lengths = np.array([len(row) for row in rows], np.int32).reshape(-1, CAPTIONS)
        longest = lengths.max(axis=1)
        captions = [np.full((most, CAPTIONS), UNKNOWN, np.int32) for most in longest]
        for number, row in enumerate(rows):
            captions[number // CAPTIONS][: len(row), number % CAPTIONS] = row
        columns: dict[str, Any] = {"pixels": part.pixels, "captions": captions, "lengths": lengths}
        return Bucketed(columns, longest, boundaries, settings.training.batch_size, more)

    first, second, third = map(batches, parts, encoded, ({}, {}, without_looking(found)))
    return Data(found.name, "photographs", first, second, third, known)


def without_looking(found: Photographs) -> dict[str, NDArray[Any]]:
    """What people say of the test photographs, and what can be said without looking at them."""
    said = [text for own in found.train.captions for text in own]
    drawn = np.random.default_rng(SEED).integers(len(said), size=len(found.test.captions))
    [(most, _)] = Counter(said).most_common(1)
    return {
        "references": np.array(found.test.captions),
        "random": np.array([said[i] for i in drawn]),
        "frequent": np.array([most] * len(drawn)),
    }


def targets(batch: Batch) -> tuple[Array, Array]:
    """The captions of a batch: tokens `[B, 5, T]`, lengths `[B, 5]`."""
    return jnp.moveaxis(batch.columns["captions"].values, -1, 1), batch.columns["lengths"]


def shapes(known: Words, rows: int) -> dict[str, Any]:
    """The columns of so many photographs, with captions as long as they may be."""
    of = jax.ShapeDtypeStruct
    return {
        "pixels": of((rows, SIZE, SIZE, 3), jnp.uint8),
        "captions": Sequences(of((rows, known.most, CAPTIONS), jnp.int32), of((rows,), jnp.int32)),
        "lengths": of((rows, CAPTIONS), jnp.int32),
    }


KIND_OF_TASK = Kind(
    name="captioning",
    settings=Settings(),
    load=load,
    read=Words.read,
    stand_in=Words((END, *map(str, range(KNOWN))), LONGEST),
    model=make_model,
    inputs=lambda batch: (batch.columns["pixels"],),
    targets=targets,
    shapes=shapes,
    report=report,
)
RECIPE = make_recipe(KIND_OF_TASK)


def describe(run: Opened, pixels: NDArray[np.uint8]) -> list[Written]:
    """What a network says of photographs, `[N, 96, 96, 3]`, and which of the 6 by 6 places it looks at."""
    return write(KIND_OF_TASK, run, (pixels,))
