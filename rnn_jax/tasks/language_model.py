"""Language models: the next token of a text, given all before it."""

import math
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, cast

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from rnn_jax.cells.cell import State
from rnn_jax.data import texts
from rnn_jax.data.batches import Batch, Bucketed, Sequences, Split
from rnn_jax.data.documents import apart
from rnn_jax.data.streams import Stream
from rnn_jax.data.texts import Corpus, CorpusSettings, Documents, read_tokenizer, tokenizer_file
from rnn_jax.data.tokenizers import Tokenizer
from rnn_jax.durable import write_whole
from rnn_jax.errors import UserError
from rnn_jax.models.dropout import Keys
from rnn_jax.models.embedding import EmbeddingSettings
from rnn_jax.models.functional import Apply, ModelParams, split
from rnn_jax.models.language_model import LanguageModel, Losses
from rnn_jax.models.recurrent import LAYER_SETTINGS, RecurrentSettings
from rnn_jax.models.summary import summarize_language_model
from rnn_jax.seeds import make_key
from rnn_jax.settings import at_least, require
from rnn_jax.training.recipe import Data, Places, Preprocessor, Recipe, Shapes, batch_shapes
from rnn_jax.training.settings import TrainingSettings
from rnn_jax.training.task import Figures, Mean, Metrics, Part, Report, Selection, Sums, Task, perplexity

NAME = "language_model"
TOKENS = "tokens.txt"

Carry = tuple[State, ...]  # the state of each layer after the last batch; () where each text is read apart


@dataclass(frozen=True)
class Settings:
    """The settings of a run. The defaults learn the characters of Tiny Shakespeare."""

    text: CorpusSettings = CorpusSettings()
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

    softmax_samples: Annotated[int, at_least(0)] = 0
    """Tokens that are drawn for the softmax of a training step, instead of all (sampled softmax); 0: all. The
    full softmax is evaluated in any case."""

    def check(self) -> None:
        """Raises UserError for a network that would read what it is to predict."""
        both, layers = self.recurrent.bidirectional, self.recurrent.num_layers
        is_apart = self.text.reading == "apart"
        words = "one text after the other is read forward: --reading apart"
        require(is_apart or not both, "bidirectional", both, words)
        alone = layers == 1 or not both
        require(alone, "num_layers", layers, "with --bidirectional, the upper layers would read the answer")
        apart, words = self.recurrent.block == "none", "with --bidirectional, a block would read the answer"
        require(apart or not both, "block", self.recurrent.block, words)


class TokenPreprocessor(NamedTuple):
    """How texts become tokens."""

    tokenizer: Tokenizer

    def files(self) -> dict[str, Any]:
        """The writer of `tokens.txt`."""
        content = tokenizer_file(self.tokenizer)
        return {TOKENS: lambda path: write_whole(path, content)}

    def row_names(self) -> list[str]:
        """The tokens, by index."""
        return self.tokenizer.names(range(self.tokenizer.size))

    def answer_names(self) -> tuple[str, ...]:
        """None beside the tokens."""
        return ()


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
    network = Network(settings, apply)

    @cache
    def initial_carry(rows: int) -> Carry:
        return jax.device_get(network.empty(init(), rows))

    return Task(
        name=NAME,
        init=init,
        loss=network.loss,
        evaluate=network.evaluate,
        metrics=Metrics((network.objective,)),
        figures=Figures(("loss",), ("perplexity", "bits_per_character"), network.score),
        selection=Selection("loss", higher=False),
        identity={
            "cell": settings.recurrent.cell,
            "unroll": settings.recurrent.unroll,
            "tokens": settings.text.tokens,
            "reading": settings.text.reading,
        },
        initial_carry=initial_carry,
        report=report,
        parts={
            "embedding": Part(("embedding",), ("embedding_size",)),
            "recurrent": Part(("recurrent",), LAYER_SETTINGS),
        },
    )


class Network(NamedTuple):
    """The language model as functions of its parameters, as a task has them."""

    settings: Settings
    apply: Apply

    @property
    def objective(self) -> str:
        """What is minimised: the loss, or its estimate from a sample."""
        return "sampled_loss" if self.settings.softmax_samples else "loss"

    def empty(self, params: ModelParams, rows: int) -> Carry:
        """The state before the first batch; nothing where each text is read apart."""
        is_apart = self.settings.text.reading == "apart"
        return () if is_apart else self.apply(params, rows, method="initial_state")

    def losses(self, params: ModelParams, batch: Batch, carry: Carry, **training: Any) -> tuple[Mean, Carry]:
        """The loss of all tokens of a batch that are predicted, and the state to go on from."""
        tokens, targets = batch.columns["tokens"], batch.columns["targets"]
        start = None
        if carry:
            fresh = batch.columns["fresh"]
            begin = lambda old, new: jnp.where(fresh[:, None], new, old)  # noqa: E731
            start = jax.tree.map(begin, carry, self.empty(params, len(fresh)))
        read = tokens.values, targets.values, tokens.lengths, start
        resets = batch.columns.get("resets")
        found: Losses = self.apply(params, *read, resets=resets, **training, method="losses")
        total = jnp.where(found.counted, found.values, 0).sum()
        return Mean(total, found.counted.sum().astype(jnp.float32)), found.state if carry else ()

    def loss(self, params: ModelParams, batch: Batch, carry: Carry, keys: Keys) -> tuple[Sums, Carry]:
        """The sums of a batch in training."""
        samples = self.settings.softmax_samples
        mean, carry = self.losses(params, batch, carry, keys=keys, samples=samples)
        return {self.objective: mean}, carry

    def evaluate(self, params: ModelParams, batch: Batch, carry: Carry) -> tuple[Sums, Carry, tuple[()]]:
        """The sums of a batch, over all tokens of the softmax."""
        mean, carry = self.losses(params, batch, carry)
        return {"loss": mean}, carry, ()

    def score(self, sums: Sums, text: Split) -> dict[str, float]:
        """Perplexity, e to the mean loss of a token; and bits a character of the text."""
        mean, directions = sums["loss"], 1 + self.settings.recurrent.bidirectional
        characters = directions * int(cast("Stream | Bucketed", text).beside["characters"])
        return {
            "perplexity": perplexity(mean),
            "bits_per_character": float(mean.total) / math.log(2) / characters,
        }


def report(_: Any, test: Any) -> Report:
    """How much of the test text is unknown: perplexity counts it as one token."""
    return Report({"test_unknown": None if test is None else float(test.beside["unknown"])}, {})


def load(settings: Settings, places: Places) -> Data:
    """The splits of a corpus in batches; see `rnn_jax.data.texts.load` for errors."""
    return data_of(settings, texts.load(settings.text, *places))


def data_of(settings: Settings, corpus: Corpus) -> Data:
    """The splits of a corpus in batches.

    Raises:
        UserError: if a split is too short for a batch.
    """
    batch_size, length = settings.training.batch_size, settings.text.length

    def batches(name: str, documents: Documents) -> Split:
        if settings.text.reading == "apart":
            return apart(documents, corpus.tokenizer, length, batch_size)
        one = len(documents.lengths) == 1
        tokens = documents.tokens if one else texts.join(documents, corpus.tokenizer)
        if len(tokens) <= batch_size:
            raise UserError(
                f"--dataset {settings.text.dataset}: its {name} text has {len(tokens)} tokens, too "
                f"few for --batch-size {batch_size}: take a longer text or a smaller batch"
            )
        beside = {"characters": np.array(documents.characters), "unknown": np.array(documents.unknown)}
        first = texts.beginnings(documents) if settings.text.reading == "packed" else None
        return Stream(tokens, batch_size, length, beside, first)

    train, validation, test = (
        batches(name, getattr(corpus, name)) for name in ("train", "validation", "test")
    )
    unit = "characters" if settings.text.tokens == "characters" else "tokens"
    unit = "pieces" if settings.text.reading == "apart" else unit
    dataset = Path(settings.text.dataset).name
    return Data(dataset, unit, train, validation, test, TokenPreprocessor(corpus.tokenizer))


def summary(settings: Settings, preprocessor: Preprocessor) -> str:
    """The printed table of layers."""
    size = cast("TokenPreprocessor", preprocessor).tokenizer.size
    return summarize_language_model(make_model(settings, size), settings.text.length)


def stand_in(settings: Settings) -> TokenPreprocessor:
    """Tokens where there is no text: as many as there may be."""
    names = [f"token{i}" for i in range(1, settings.text.vocabulary_size)]
    return TokenPreprocessor(Tokenizer(settings.text.tokens, names))


def shapes(settings: Settings, preprocessor: Preprocessor, rows: int) -> Shapes:
    """Of `rows` parts of a text; the network is used to read one more token, and to say what comes next."""
    size = cast("TokenPreprocessor", preprocessor).tokenizer.size
    apply, init = split(lambda: make_model(settings, size))
    whole = jax.ShapeDtypeStruct((rows, settings.text.length), jnp.int32)
    each = Sequences(whole, jax.ShapeDtypeStruct((rows,), jnp.int32))
    columns: dict[str, Any] = {"tokens": each, "targets": each}
    if settings.text.reading != "apart":
        columns["fresh"] = jax.ShapeDtypeStruct((rows,), jnp.bool_)
    if settings.text.reading == "packed":
        columns["resets"] = jax.ShapeDtypeStruct(whole.shape, jnp.bool_)
    one = jax.ShapeDtypeStruct((1, 1), jnp.int32), jax.ShapeDtypeStruct((1,), jnp.int32)
    if settings.recurrent.bidirectional:  # it cannot write, and carries no state
        return Shapes(batch_shapes(columns, rows), apply, (*one, None))
    state = jax.eval_shape(lambda: apply(init(), 1, method="initial_state"))
    return Shapes(batch_shapes(columns, rows), apply, (*one, state))


RECIPE = Recipe(
    name=NAME,
    settings=Settings(),
    load=load,
    preprocessor=lambda settings, directory: TokenPreprocessor(read_tokenizer(directory / TOKENS)),
    make=make,
    summary=summary,
    stand_in=stand_in,
    shapes=shapes,
    used_by="generate",
)
