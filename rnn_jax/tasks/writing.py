"""Tasks whose answer is a text: what is counted of it, and how it is written."""

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from rnn_jax.cells.cell import Array
from rnn_jax.data.batches import Batch
from rnn_jax.data.tokenizers import END, Tokenizer
from rnn_jax.models.decoder import DecoderSettings
from rnn_jax.models.dropout import Keys
from rnn_jax.models.functional import Apply, ModelParams, split
from rnn_jax.models.summary import summarize_parts
from rnn_jax.models.writer import Inputs, Writer
from rnn_jax.training.recipe import Data, Places, Preprocessor, Recipe, Shapes, batch_shapes
from rnn_jax.training.task import Carry, Figures, Mean, Metrics, Report, Selection, Sums, Task, perplexity
from rnn_jax.training.weights import Opened


class Known(Preprocessor, Protocol):
    """What such a task knows beside its network."""

    most: int  # tokens of the longest text

    @property
    def written(self) -> Tokenizer:
        """Of what is written."""


class Kind(NamedTuple):
    """What is particular to a task.

    Attributes:
        name: of the task.
        settings: the defaults, with a field `decoder: DecoderSettings`.
        load: the data of settings.
        read: what is known, from the directory of a run.
        stand_in: what is known in place of what data would tell.
        model: the network, with its initial weights.
        inputs: what it reads of a batch.
        targets: what it is to write of it, tokens `[B, T]` and lengths `[B]`, or `[B, C, T]` and `[B, C]`.
        shapes: the columns of a batch of so many examples.
        report: what is told of the texts, in the order of the test examples, and of these; None where they
            were not read.
    """

    name: str
    settings: Any
    load: Callable[[Any, Places], Data]
    read: Callable[[Any], Any]
    stand_in: Any
    model: Callable[[Any, Any], Writer]
    inputs: Callable[[Batch], Inputs]
    targets: Callable[[Batch], tuple[Array, Array]]
    shapes: Callable[[Any, int], dict[str, Any]]
    report: Callable[[list[str] | None, Any], Report]


class Network(NamedTuple):
    """A writer as functions of its parameters, as a task has them."""

    apply: Apply
    kind: Kind
    beams: int
    most: int

    def loss(self, params: ModelParams, batch: Batch, carry: Carry, keys: Keys) -> tuple[Sums, Carry]:
        """The sums of a batch in training: nats a token, with smoothed targets and without."""
        return self._nats(params, batch, keys), carry

    def evaluate(self, params: ModelParams, batch: Batch, carry: Carry) -> tuple[Sums, Carry, Array]:
        """The sums of a batch, and the texts that are written of it, `[B, most]`."""
        texts = self.write(params, self.kind.inputs(batch))
        return {"loss": self._nats(params, batch)["loss"]}, carry, texts

    def write(self, params: ModelParams, inputs: Inputs) -> Array:
        """Texts `[B, most]`, by beam search."""
        texts: Array = self.apply(params, inputs, beams=self.beams, most=self.most, method="write")
        return texts

    def _nats(self, params: ModelParams, batch: Batch, keys: Keys | None = None) -> Sums:
        tokens, lengths = self.kind.targets(batch)
        losses = self.apply(params, self.kind.inputs(batch), tokens, lengths, keys, method="losses")
        weights = batch.weights.reshape(-1, *[1] * (tokens.ndim - 1))
        steps = (jnp.arange(tokens.shape[-1]) < lengths[..., None]) * weights
        return {
            name: Mean((each * steps).sum(), steps.sum())
            for name, each in zip(("loss", "smoothed_loss"), losses, strict=True)
        }


def make_network(kind: Kind, settings: Any, known: Known) -> Network:
    """The functions of a network of these settings."""
    apply = split(lambda: kind.model(settings, known))[0]
    return Network(apply, kind, settings.decoder.beams, known.most)


def make_recipe(kind: Kind) -> Recipe:
    """How a task that writes is made."""

    def make(settings: Any, preprocessor: Any) -> Task:
        network = make_network(kind, settings, preprocessor)
        decoder: DecoderSettings = settings.decoder

        def report(texts: NDArray[np.int32] | None, test: Any) -> Report:
            return kind.report(None if texts is None else decoded(preprocessor.written, texts), test)

        return Task(
            name=kind.name,
            init=split(lambda: kind.model(settings, preprocessor))[1],
            loss=network.loss,
            evaluate=network.evaluate,
            metrics=Metrics(("smoothed_loss",), ("loss",)),
            figures=Figures(
                ("loss",), ("perplexity",), lambda sums, split: {"perplexity": perplexity(sums["loss"])}
            ),
            selection=Selection("perplexity", higher=False),
            identity={
                "cell": decoder.recurrent.cell,
                "unroll": decoder.recurrent.unroll,
                "attention": decoder.attention,
                "beams": decoder.beams,
            },
            report=report,
        )

    def shapes(settings: Any, preprocessor: Any, rows: int) -> Shapes:
        """The network is used to write of as many examples."""
        batch = batch_shapes(kind.shapes(preprocessor, rows), rows)
        return Shapes(batch, make_network(kind, settings, preprocessor).write, (kind.inputs(batch),))

    def summary(settings: Any, preprocessor: Any) -> str:
        model = kind.model(settings, preprocessor)
        batch = batch_shapes(kind.shapes(preprocessor, 1), 1)
        first: Any = kind.inputs(batch)[0]
        text = jax.ShapeDtypeStruct((1, preprocessor.most), jnp.int32)
        return summarize_parts(model.parts(first, text), model)

    return Recipe(
        name=kind.name,
        settings=kind.settings,
        load=kind.load,
        preprocessor=lambda settings, directory: kind.read(directory),
        make=make,
        summary=summary,
        stand_in=lambda settings: kind.stand_in,
        shapes=shapes,
        used_by=kind.name,
    )


def decoded(tokenizer: Tokenizer, texts: NDArray[np.integer]) -> list[str]:
    """The texts of rows of tokens, up to their ends."""
    return [tokenizer.decode(_until_end(tokenizer, row)) for row in texts]


def _until_end(tokenizer: Tokenizer, row: NDArray[np.integer]) -> NDArray[np.integer]:
    end = tokenizer.index(END)
    return row[: np.argmax(np.append(row, end) == end)]


class Written(NamedTuple):
    """A text that a network has written."""

    text: str
    tokens: list[str]  # T
    weights: NDArray[np.float32]  # [T, S], what it read when it wrote them; [T, 0] where all alike


def write(kind: Kind, run: Opened, inputs: tuple[NDArray[Any], ...]) -> list[Written]:
    """What a trained run writes about N inputs, and what it reads when it does."""
    known: Any = run.preprocessor
    tokenizer, network = known.written, make_network(kind, run.settings, known)
    rows = np.asarray(jax.jit(network.write)(run.params, inputs))
    read = jax.jit(lambda params, inputs, rows: network.apply(params, inputs, rows, method="weights"))
    weights = np.asarray(read(run.params, inputs, rows))
    found = []
    for row, own in zip(rows, weights, strict=True):
        tokens = _until_end(tokenizer, row)
        found.append(Written(tokenizer.decode(tokens), tokenizer.names(tokens), own[: len(tokens)]))
    return found
