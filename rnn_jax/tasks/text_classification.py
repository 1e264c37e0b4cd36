"""Classification of texts into two labels: from padded words to one logit."""

from dataclasses import dataclass
from math import inf
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx
from numpy.typing import NDArray

from rnn_jax.cells.cell import Array
from rnn_jax.data import dataset as datasets
from rnn_jax.data.batches import Batch, Bucketed
from rnn_jax.data.buckets import choose_boundaries
from rnn_jax.data.examples import NO_LABEL, concatenate
from rnn_jax.data.preprocessor import TextPreprocessor
from rnn_jax.models import Classifier, EmbeddingSettings, EncoderSettings, summarize
from rnn_jax.models.dropout import Keys, redrawn
from rnn_jax.models.embedding import AGAIN, SIGN
from rnn_jax.models.functional import Apply, ModelParams, split
from rnn_jax.models.recurrent import LAYER_SETTINGS
from rnn_jax.seeds import make_key
from rnn_jax.settings import at_least, require
from rnn_jax.training.adversarial import adversarial_gradients
from rnn_jax.training.recipe import Data, Places, Preprocessor, Recipe
from rnn_jax.training.settings import TrainingSettings
from rnn_jax.training.task import (
    Carry,
    Figures,
    Mean,
    Metrics,
    Objective,
    Part,
    Report,
    Selection,
    Sums,
    Task,
    plain_gradients,
    zeros,
)

NAME = "text_classification"
UP_TO = (100, 150, 200, 300, 400, 600, 1000, inf)  # words: examples are counted by length


@dataclass(frozen=True)
class Settings:
    """The settings of a run. The defaults are the reference LSTM, found by `experiments.search`."""

    text: datasets.TextSettings = datasets.TextSettings()
    embedding: EmbeddingSettings = EmbeddingSettings()
    encoder: EncoderSettings = EncoderSettings()
    training: TrainingSettings = TrainingSettings()
    pair_buckets: Annotated[int, at_least(0)] = 0
    """Vectors shared by all pairs of words in a row, beside those of words; 0: none."""
    adversarial: Annotated[float, at_least(0)] = 0.0
    """Radius of adversarial training, in units of the word vectors of a review; 0: none; doubles the work."""
    virtual_adversarial: Annotated[float, at_least(0)] = 0.0
    """Radius of virtual adversarial training, which needs no labels; 0: none. See --unlabelled."""
    teacher_weight: Annotated[float, at_least(0)] = 0.0
    """Weight of an unlabelled review with the label that --teacher gives it; a labelled one has 1."""

    def check(self) -> None:
        """Raises UserError for what has nothing to go by."""
        patience = self.training.patience
        require(not (self.text.refit and patience), "patience", patience, "needs validation: no --refit")
        used = self.virtual_adversarial > 0 or self.teacher_weight > 0
        words = "needs --virtual-adversarial or --teacher-weight"
        require(used or not self.text.unlabelled, "unlabelled", True, words)
        unlabelled = self.text.unlabelled or not self.teacher_weight
        require(unlabelled, "teacher_weight", self.teacher_weight, "needs --unlabelled")


def make_model(settings: Settings) -> Classifier:
    """The network, with its initial weights."""
    return Classifier(
        settings.embedding,
        settings.encoder,
        vocabulary_size=settings.text.vocabulary_size,
        log_count_ratios=settings.text.log_count_ratios,
        pair_buckets=settings.pair_buckets,
        rngs=nnx.Rngs(make_key(settings.training.seed)),
    )


def make(settings: Settings, preprocessor: Preprocessor | None = None) -> Task:
    """The task of these settings; a preprocessor tells it nothing more."""
    apply, init = split(lambda: make_model(settings))
    network = Network(settings, apply)
    virtual = settings.virtual_adversarial > 0
    return Task(
        name=NAME,
        init=init,
        loss=network.loss,
        evaluate=network.evaluate,
        metrics=Metrics(("loss", *["divergence"] * virtual), ("accuracy",)),
        figures=Figures(("loss", "accuracy")),
        selection=Selection("accuracy", higher=True),
        identity={
            "network": settings.encoder.network,
            "cell": settings.encoder.recurrent.cell,
            "unroll": settings.encoder.recurrent.unroll,
        },
        gradients=network.gradients if settings.adversarial or virtual else plain_gradients,
        report=report,
        parts=parts_of(settings),
    )


class Network(NamedTuple):
    """The classifier as functions of its parameters, as a task has them."""

    settings: Settings
    apply: Apply

    def logits(self, params: ModelParams, batch: Batch, **training: Any) -> Array:
        """The log-odds of a batch, `[B]`."""
        tokens, ratios = batch.columns["tokens"], batch.columns.get("ratios")
        beside = None if ratios is None else ratios.values
        return self.apply(params, tokens.values, tokens.lengths, beside, **training)

    def loss(
        self,
        params: ModelParams,
        batch: Batch,
        carry: Carry,
        keys: Keys,
        step: Array | None = None,
        before: Array | None = None,
    ) -> tuple[Sums, Any]:
        """The sums of a batch in training; with a step of its vectors, the log-odds beside them.

        With the log-odds before the step, too, its sign and all noise are drawn anew, and all that counts is
        how far the log-odds move.
        """
        if step is not None and before is not None:
            step, keys = step * signs(keys)[:, None, None], redrawn(keys, AGAIN)
        logits = self.logits(params, batch, keys=keys, perturbation=step)
        beside = carry if step is None else logits
        if before is not None:
            lost = bernoulli_divergence(before, logits) * batch.weights
            moved = {"divergence": Mean(lost.sum(), batch.weights.sum())}
            return zeros(("loss", "accuracy")) | moved, beside
        weights = batch.weights * batch.columns.get("importance", 1.0)
        sums = count(logits, batch.columns["labels"], weights)
        still = zeros(("divergence",)) if self.settings.virtual_adversarial else {}
        return sums | still, beside

    def still(self, batch: Batch) -> Array:
        """No perturbation: zeros, a vector a token."""
        return jnp.zeros((*batch.columns["tokens"].values.shape, self.settings.embedding.embedding_size))

    def gradients(self, objective: Objective, params: ModelParams, batch: Batch) -> tuple[ModelParams, Any]:
        """The rule of adversarial and of virtual adversarial training; nothing is carried over."""
        radii = self.settings.adversarial, self.settings.virtual_adversarial
        gradients, sums = adversarial_gradients(objective, params, self.still(batch), *radii)
        return gradients, (sums, ())

    def evaluate(self, params: ModelParams, batch: Batch, carry: Carry) -> tuple[Sums, Carry, Array]:
        """The sums of a batch, and its log-odds."""
        logits = self.logits(params, batch)
        return count(logits, batch.columns["labels"], batch.weights), carry, logits


def signs(keys: Keys) -> Array:
    """1 or -1 for each example, drawn: `[B]`."""
    return jax.vmap(lambda key: jax.random.rademacher(jax.random.fold_in(key, SIGN), ()))(keys.examples)


def parts_of(settings: Settings) -> dict[str, Part]:
    """What a language model, say, may lend: word vectors, and recurrent layers where there are any."""
    parts = {"embedding": Part(("embedding",), ("embedding_size",))}
    if settings.encoder.network == "recurrent":
        parts["recurrent"] = Part(("layers", "recurrent"), LAYER_SETTINGS)
    return parts


def count(logits: Array, labels: Array, weights: Array) -> Sums:
    """Cross-entropy in nats and accuracy of a batch: `[B]` each; a label is the probability of 1.

    Rows of weight 0 do not count, nor those without a label, whose label is `NO_LABEL`.
    """
    weights = weights * (labels != NO_LABEL)
    losses = optax.sigmoid_binary_cross_entropy(logits, labels)
    correct = (logits > 0) == (labels > 0.5)
    examples = weights.sum()
    return {
        "loss": Mean((losses * weights).sum(), examples),
        "accuracy": Mean((correct * weights).sum(), examples),
    }


def bernoulli_divergence(first: Array, second: Array) -> Array:
    """KL(p ‖ q) in nats, of two labels whose log-odds are given: `[B], [B] -> [B]`."""
    p = jax.nn.sigmoid(first)
    more = jax.nn.softplus(second) - jax.nn.softplus(first)
    less = jax.nn.softplus(-second) - jax.nn.softplus(-first)
    return (1 - p) * more + p * less


def report(logits: NDArray[np.float32] | None, test: Any) -> Report:
    """Accuracy by length, and which test examples were classified correctly, a 1 or a 0 each."""
    if logits is None:
        return Report({"test_by_length": []}, {})
    correct = (logits > 0) == (test.columns["labels"] > 0)
    return Report(
        {"test_by_length": count_by_length(correct, test.beside["words"])},
        {"test_correct.txt": answers_file(correct)},
    )


def answers_file(correct: NDArray[np.bool_]) -> str:
    """A 1 for each example that was classified correctly, a 0 for the others, on one line."""
    return "".join("01"[int(right)] for right in correct) + "\n"


def count_by_length(correct: NDArray[np.bool_], words: NDArray[np.integer]) -> list[dict[str, int | None]]:
    """How many examples there are of each range of length, and how many of them were classified correctly.

    Ranges end with `up_to` words, and begin above the end of the one before; the last has no end.
    """
    counts: list[dict[str, int | None]] = []
    for above, up_to in zip((-1, *UP_TO), UP_TO, strict=False):
        own = correct[(words > above) & (words <= up_to)]
        last = up_to == inf
        counts.append({"up_to": None if last else int(up_to), "reviews": own.size, "correct": int(own.sum())})
    return counts


def load(settings: Settings, places: Places) -> Data:
    """The reviews; see `rnn_jax.data.dataset.load` for errors."""
    return data_of(settings, datasets.load(settings.text, *places))


def data_of(settings: Settings, dataset: datasets.Dataset) -> Data:
    """The splits of a dataset in batches, padded to lengths that fit the training split."""
    text, batch_size = settings.text, settings.training.batch_size
    trained = dataset.train if dataset.unlabelled is None else concatenate(dataset.train, dataset.unlabelled)
    boundaries = choose_boundaries(trained.lengths, text.max_length, text.buckets)
    train, validation, test = (
        Bucketed(part.columns, part.lengths, boundaries, batch_size, beside)
        for part, beside in (
            (trained, {"unlabelled": np.array((trained.labels == NO_LABEL).sum())}),
            (dataset.validation, {}),
            (dataset.test, {"words": dataset.test_words}),
        )
    )
    preprocessor = TextPreprocessor(dataset.vocabulary, dataset.ratios)
    return Data(dataset.name, "reviews", train, validation, test, preprocessor)


def read_preprocessor(settings: Settings, directory: Path) -> TextPreprocessor:
    """The words and ratios that a run has kept."""
    return TextPreprocessor.read(directory, with_ratios=settings.text.log_count_ratios > 0)


RECIPE = Recipe(
    name=NAME,
    settings=Settings(),
    load=load,
    preprocessor=read_preprocessor,
    make=make,
    summary=lambda settings, preprocessor: summarize(make_model(settings), settings.text.max_length),
    used_by="predict",
)
