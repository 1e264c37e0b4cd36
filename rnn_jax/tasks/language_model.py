"""Language models: the next token of a text, given all before it."""

import math
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal, NamedTuple, cast

import jax
import jax.numpy as jnp
import optax
from flax import nnx

from rnn_jax.cells.cell import State
from rnn_jax.data.batches import Batch, Split
from rnn_jax.data.streams import Stream
from rnn_jax.data.texts import StreamSettings, Texts, encode, read_tokenizer, tokenizer_file
from rnn_jax.data.texts import load as load_texts
from rnn_jax.data.tokenizers import Tokenizer
from rnn_jax.durable import write_whole
from rnn_jax.errors import UserError
from rnn_jax.models.dropout import Keys
from rnn_jax.models.embedding import EmbeddingSettings
from rnn_jax.models.functional import ModelParams, split
from rnn_jax.models.language_model import LanguageModel
from rnn_jax.models.recurrent import RecurrentSettings
from rnn_jax.models.summary import summarize_language_model
from rnn_jax.seeds import make_key
from rnn_jax.settings import require
from rnn_jax.training.recipe import Data, Places, Preprocessor, Recipe
from rnn_jax.training.settings import TrainingSettings
from rnn_jax.training.task import Mean, Report, Scores, Selection, Sums, Task

NAME = "language_model"
TOKENS = "tokens.txt"

Carry = tuple[State, ...]  # the state of each layer after the last batch


@dataclass(frozen=True)
class Settings:
    """The settings of a run. The defaults learn the characters of Tiny Shakespeare."""

    text: StreamSettings = StreamSettings()
    embedding: EmbeddingSettings = EmbeddingSettings(
        embedding_size=64, word_dropout=0.0, embedding_dropout=0.0
    )
    recurrent: RecurrentSettings = RecurrentSettings(hidden_size=512, dropout=0.2)
    training: TrainingSettings = TrainingSettings(
        batch_size=32, learning_rate=3e-3, schedule="cosine", epochs=10
    )
    tied: bool = False
    """Whether the output layer has the word vectors for its weights."""
    precision: Literal["float32", "bfloat16"] = "float32"
    """Type that the factors of matrix products are rounded to; parameters, states and sums are float32."""

    def check(self) -> None:
        """Raises UserError for a network that would read what it is to predict."""
        both = self.recurrent.bidirectional
        require(not both, "bidirectional", both, "a language model reads forward only")


class TokenPreprocessor(NamedTuple):
    """How texts become tokens."""

    tokenizer: Tokenizer

    def files(self) -> dict[str, Any]:
        """The writer of `tokens.txt`."""
        content = tokenizer_file(self.tokenizer)
        return {TOKENS: lambda path: write_whole(path, content)}


def make_model(settings: Settings, vocabulary_size: int) -> LanguageModel:
    """The network, with its initial weights."""
    return LanguageModel(
        settings.embedding,
        settings.recurrent,
        vocabulary_size=vocabulary_size,
        tied=settings.tied,
        precision=settings.precision,
        rngs=nnx.Rngs(make_key(settings.training.seed)),
    )


def make(settings: Settings, preprocessor: Preprocessor) -> Task:
    """The task of these settings, for the tokens of a preprocessor."""
    size = cast("TokenPreprocessor", preprocessor).tokenizer.size
    apply, init = split(lambda: make_model(settings, size))

    def run(params: ModelParams, batch: Batch, carry: Carry, keys: Keys | None = None) -> tuple[Sums, Carry]:
        tokens, targets = batch.columns["tokens"], batch.columns["targets"]
        fresh = batch.columns["fresh"]
        zero = apply(params, len(fresh), method="initial_state")
        start = jax.tree.map(lambda old, new: jnp.where(fresh[:, None], new, old), carry, zero)
        logits, state = apply(params, tokens.values, tokens.lengths, start, keys)
        losses = optax.softmax_cross_entropy_with_integer_labels(logits, targets.values)
        counts = jnp.arange(losses.shape[1]) < targets.lengths[:, None]
        number = counts.sum().astype(jnp.float32)
        return {"loss": Mean(jnp.where(counts, losses, 0).sum(), number)}, state

    @cache
    def initial_carry(rows: int) -> Carry:
        return jax.device_get(apply(init(), rows, method="initial_state"))

    def evaluate(params: ModelParams, batch: Batch, carry: Carry) -> tuple[Sums, Carry, tuple[()]]:
        return (*run(params, batch, carry), ())

    return Task(
        name=NAME,
        init=init,
        loss=run,
        evaluate=evaluate,
        metrics=("loss",),
        counted=("loss",),
        scores=Scores(("perplexity", "bits_per_character"), score),
        selection=Selection("loss", higher=False),
        identity={
            "cell": settings.recurrent.cell,
            "unroll": settings.recurrent.unroll,
            "tokens": settings.text.tokens,
        },
        initial_carry=initial_carry,
        report=report,
    )


def score(sums: Sums, text: Split) -> dict[str, float]:
    """Perplexity, e to the mean loss of a token; bits a character, which do not depend on the tokens."""
    loss = sums["loss"]
    characters = cast("Stream", text).beside["characters"]
    return {
        "perplexity": math.exp(min(loss.value, 700.0)),  # beyond, there is no such number
        "bits_per_character": float(loss.total) / math.log(2) / characters,
    }


def report(_: Any, test: Any) -> Report:
    """How much of the test text is unknown: perplexity counts it as one token."""
    return Report({"test_unknown": None if test is None else test.beside["unknown"]}, {})


def load(settings: Settings, places: Places) -> Data:
    """The splits of a text as streams; see `rnn_jax.data.texts.load` for errors."""
    return streams_of(settings, load_texts(settings.text, places.data_dir))


def streams_of(settings: Settings, texts: Texts) -> Data:
    """The splits of a text as streams; the tokens are counted in the training text alone.

    Raises:
        UserError: if a split is too short for a batch.
    """
    kind, batch_size = settings.text.tokens, settings.training.batch_size
    tokenizer = Tokenizer.count(kind, texts.train, settings.text.vocabulary_size)
    streams = []
    for name, text in texts._asdict().items():
        encoded = encode(tokenizer, text)
        if len(encoded.tokens) <= batch_size:
            raise UserError(
                f"--dataset {settings.text.dataset}: its {name} text has {len(encoded.tokens)} tokens, too "
                f"few for --batch-size {batch_size}: take a longer text or a smaller batch"
            )
        beside = {"characters": encoded.characters, "unknown": encoded.unknown}
        streams.append(Stream(encoded.tokens, batch_size, settings.text.length, beside))
    unit = "characters" if kind == "characters" else "tokens"
    dataset = Path(settings.text.dataset).name
    train, validation, test = streams
    return Data(dataset, unit, train, validation, test, TokenPreprocessor(tokenizer))


def summary(settings: Settings, preprocessor: Preprocessor) -> str:
    """The printed table of layers."""
    size = cast("TokenPreprocessor", preprocessor).tokenizer.size
    return summarize_language_model(make_model(settings, size), settings.text.length)


RECIPE = Recipe(
    name=NAME,
    settings=Settings(),
    load=load,
    preprocessor=lambda settings, directory: TokenPreprocessor(read_tokenizer(directory / TOKENS)),
    make=make,
    summary=summary,
)
