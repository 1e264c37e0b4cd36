"""Translation: a sentence read, another written."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any, NamedTuple, cast

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from numpy.typing import NDArray

from rnn_jax.data.batches import Bucketed, Sequences
from rnn_jax.data.buckets import choose_boundaries
from rnn_jax.data.kept import Kept
from rnn_jax.data.sources import translations
from rnn_jax.data.sources.translations import KIND, Translations, TranslationSettings, nearest
from rnn_jax.data.tokenizers import END, UNKNOWN, Tokenizer, encode_parts
from rnn_jax.errors import UserError
from rnn_jax.models.decoder import DecoderSettings
from rnn_jax.models.translator import Translator
from rnn_jax.seeds import make_key
from rnn_jax.settings import above
from rnn_jax.tasks.bleu import bleu, check_bleu
from rnn_jax.tasks.writing import Kind, Written, make_recipe, write
from rnn_jax.training.recipe import Data, Places
from rnn_jax.training.settings import TrainingSettings
from rnn_jax.training.task import Report
from rnn_jax.training.weights import Opened

GRAIN = 4  # lengths of sentences are padded to multiples of this
LONGEST, SOURCES, TARGETS = 46, 7877, 5944  # tokens of a sentence of Multi30k, and kinds in each language


@dataclass(frozen=True)
class Settings:
    """The settings of a run."""

    data: TranslationSettings = TranslationSettings()
    decoder: DecoderSettings = DecoderSettings()
    training: TrainingSettings = TrainingSettings(
        learning_rate=3e-3, schedule="cosine", epochs=6, batch_size=64, average_decay=0.998
    )
    buckets: Annotated[int, above(0)] = 4
    """Number of lengths that batches are padded to; each is compiled once."""


@dataclass(frozen=True)
class Languages(Kept):
    """What is known of two languages.

    Attributes:
        source: tokens of what is read, index 1 first.
        target: tokens of what is written.
        most: tokens of the longest sentence.
    """

    FILE = "languages.json"

    source: tuple[str, ...]
    target: tuple[str, ...]
    most: int

    @cached_property
    def read_by(self) -> Tokenizer:
        """Of what is read."""
        return Tokenizer(KIND, self.source)

    @cached_property
    def written(self) -> Tokenizer:
        """Of what is written."""
        return Tokenizer(KIND, self.target)


def make_model(settings: Settings, known: Languages) -> Translator:
    """The network, with its initial weights."""
    return Translator(
        settings.decoder,
        source_size=known.read_by.size,
        target_size=known.written.size,
        end=known.written.index(END),
        rngs=nnx.Rngs(make_key(settings.training.seed)),
    )


def report(texts: list[str] | None, test: Any) -> Report:
    """BLEU of what has been written, beside that of the translations of the nearest training sentences."""
    if texts is None:
        return Report({"test_bleu": None, "test_nearest_bleu": None}, {})
    references = [[text] for text in test.beside["references"]]
    fields = {
        "test_bleu": bleu(texts, references),
        "test_nearest_bleu": bleu(test.beside["nearest"].tolist(), references),
    }
    return Report(fields, {"test_translations.txt": "".join(f"{text}\n" for text in texts)})


def load(settings: Settings, places: Places) -> Data:
    """The sentences; see `rnn_jax.data.sources.translations.load` and `check_bleu` for errors."""
    check_bleu()
    return data_of(settings, translations.load(settings.data, places.data_dir))


def data_of(settings: Settings, found: Translations) -> Data:
    """The splits of a dataset in batches."""
    parts = found.train, found.validation, found.test
    (source, sources), (target, targets) = (
        encode_parts(KIND, [part[side] for part in parts], settings.data.min_count, ends=side == 1)
        for side in range(2)
    )
    lengths = [
        np.array([max(map(len, pair)) for pair in zip(*pairs, strict=True)], np.int32)
        for pairs in zip(sources, targets, strict=True)
    ]
    known = Languages(source.tokens, target.tokens, int(max(own.max() for own in lengths)))
    boundaries = choose_boundaries(lengths[0], known.most, settings.buckets, GRAIN)
    beside = {
        "references": np.array(found.test.targets),
        "nearest": np.array(nearest(found.train, found.test.sources)),
    }
    first, second, third = (
        Bucketed({"source": source, "target": target}, own, boundaries, settings.training.batch_size, more)
        for source, target, own, more in zip(sources, targets, lengths, ({}, {}, beside), strict=True)
    )
    return Data(found.name, "sentences", first, second, third, known)


def shapes(known: Languages, rows: int) -> dict[str, Any]:
    """The columns of so many sentences, as long as they may be."""
    texts = jax.ShapeDtypeStruct((rows, known.most), jnp.int32)
    one = Sequences(texts, jax.ShapeDtypeStruct((rows,), jnp.int32))
    return {"source": one, "target": one}


KIND_OF_TASK = Kind(
    name="translation",
    settings=Settings(),
    load=load,
    read=Languages.read,
    stand_in=Languages(tuple(map(str, range(SOURCES))), (END, *map(str, range(TARGETS))), LONGEST),
    model=make_model,
    inputs=lambda batch: tuple(batch.columns["source"]),
    targets=lambda batch: tuple(batch.columns["target"]),
    shapes=shapes,
    report=report,
)
RECIPE = make_recipe(KIND_OF_TASK)


class Translated(NamedTuple):
    """A sentence, and what a network makes of it."""

    read: list[str]  # S tokens
    written: Written


def translate(run: Opened, sentences: Sequence[NDArray[np.int32]]) -> list[Translated]:
    """Translates sentences, as tokens of what is read."""
    known = cast("Languages", run.preprocessor)
    lengths = np.array([len(each) for each in sentences], np.int32)
    padded = np.zeros((len(sentences), known.most), np.int32)
    for row, tokens in zip(padded, sentences, strict=True):
        row[: len(tokens)] = tokens
    return [
        Translated(known.read_by.names(tokens), each._replace(weights=each.weights[:, : len(tokens)]))
        for tokens, each in zip(sentences, write(KIND_OF_TASK, run, (padded, lengths)), strict=True)
    ]


def tokens_of(run: Opened, sentence: str) -> NDArray[np.int32]:
    """A sentence as tokens.

    Raises:
        UserError: if it is empty, longer than those that the run has seen, or of words that it does not know.
    """
    known = cast("Languages", run.preprocessor)
    tokens = known.read_by.encode(sentence)
    if not 0 < len(tokens) <= known.most:
        raise UserError(f"a sentence of {len(tokens)} words and signs: this run reads 1 to {known.most}")
    if (tokens == UNKNOWN).all():
        raise UserError(f"no word of it is known to this run, which has learnt {run.settings.data.dataset}")
    return tokens
