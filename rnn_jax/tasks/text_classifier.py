"""A classifier of texts as a task, whichever texts and labels these are."""

from dataclasses import dataclass
from math import inf
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from numpy.typing import NDArray

from rnn_jax.cells.cell import Array
from rnn_jax.data.batches import Batch, Bucketed, Sequences, Spans
from rnn_jax.data.buckets import choose_boundaries
from rnn_jax.data.examples import NO_LABEL, Examples
from rnn_jax.data.log_count_ratios import ratio_features
from rnn_jax.data.packing import MOST, Packed
from rnn_jax.data.preprocessor import TextPreprocessor
from rnn_jax.data.reading import ReadingSettings
from rnn_jax.data.vocabulary import FIRST_WORD, Vocabulary
from rnn_jax.models import Classifier, EmbeddingSettings, EncoderSettings
from rnn_jax.models.dropout import Keys, redrawn
from rnn_jax.models.embedding import AGAIN, SIGN
from rnn_jax.models.functional import Apply, ModelParams, split
from rnn_jax.models.recurrent import LAYER_SETTINGS
from rnn_jax.seeds import make_key
from rnn_jax.settings import at_least, require
from rnn_jax.tasks.labels import answers_file, answers_of, count, probabilities_of
from rnn_jax.training.adversarial import adversarial_gradients
from rnn_jax.training.recipe import Preprocessor, Shapes, batch_shapes
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

UP_TO = (100, 150, 200, 300, 400, 600, 1000, inf)  # words: examples are counted by length


@dataclass(frozen=True)
class ClassifierSettings:
    """The settings of a classifier, but for which texts it reads."""

    text: ReadingSettings = ReadingSettings()
    embedding: EmbeddingSettings = EmbeddingSettings()
    encoder: EncoderSettings = EncoderSettings()
    training: TrainingSettings = TrainingSettings()
    pair_buckets: Annotated[int, at_least(0)] = 0
    """Vectors shared by all pairs of words in a row, beside those of words; 0: none."""
    adversarial: Annotated[float, at_least(0)] = 0.0
    """Radius of adversarial training, in units of the word vectors of a text; 0: none; doubles the work."""
    virtual_adversarial: Annotated[float, at_least(0)] = 0.0
    """Radius of virtual adversarial training, which needs no labels; 0: none. For two labels."""

    def check(self) -> None:
        """Raises UserError for what has nothing to go by."""
        patience = self.training.patience
        require(not (self.text.refit and patience), "patience", patience, "needs validation: no --refit")
        if self.text.packed:
            network = self.encoder.network
            require(network == "recurrent", "network", network, "reads a row as one text: no --packed")
            for name in ("pair_buckets", "adversarial", "virtual_adversarial"):
                value = getattr(self, name)
                require(value == 0, name, value, "takes a row for one text: 0, or no --packed")


def make_model(settings: ClassifierSettings, num_labels: int = 2) -> Classifier:
    """The network, with its initial weights."""
    return Classifier(
        settings.embedding,
        settings.encoder,
        vocabulary_size=settings.text.vocabulary_size,
        max_length=settings.text.max_length,
        num_labels=num_labels,
        log_count_ratios=settings.text.log_count_ratios,
        pair_buckets=settings.pair_buckets,
        rngs=nnx.Rngs(make_key(settings.training.seed)),
    )


def make_classifier(name: str, settings: ClassifierSettings, num_labels: int = 2) -> Task:
    """The task of these settings.

    Args:
        name: of the task.
        settings: of the run.
        num_labels: how many labels there are.

    Raises:
        UserError: if a setting is for two labels, and there are more.
    """
    many, virtual = num_labels > 2, settings.virtual_adversarial
    words = f"is for two labels, and there are {num_labels}: set it to 0"
    require(not (many and virtual), "virtual_adversarial", virtual, words)
    ratios = settings.text.log_count_ratios
    require(not (many and ratios), "log_count_ratios", ratios, words)
    apply, init = split(lambda: make_model(settings, num_labels))
    network = Network(settings, apply)
    return Task(
        name=name,
        init=init,
        loss=network.loss,
        evaluate=network.evaluate,
        metrics=Metrics(("loss", *["divergence"] * (virtual > 0)), ("accuracy",)),
        figures=Figures(("loss", "accuracy")),
        selection=Selection("accuracy", higher=True),
        identity={
            "network": settings.encoder.network,
            "cell": settings.encoder.recurrent.cell,
            "unroll": settings.encoder.recurrent.unroll,
        },
        gradients=network.gradients if settings.adversarial or virtual else plain_gradients,
        report=report_by_length,
        parts=parts_of(settings),
    )


class Network(NamedTuple):
    """The classifier as functions of its parameters, as a task has them."""

    settings: ClassifierSettings
    apply: Apply

    def logits(self, params: ModelParams, batch: Batch, **training: Any) -> Array:
        """The log-odds of a batch, `[B]`; the logits `[B, K]` of K labels."""
        tokens, ratios = batch.columns["tokens"], batch.columns.get("ratios")
        beside = None if ratios is None else ratios.values
        spans = batch.columns.get("spans")
        return self.apply(params, tokens.values, tokens.lengths, beside, spans=spans, **training)

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
        weights = weights_of(batch)
        if (importance := batch.columns.get("importance")) is not None:
            weights *= importance.ravel()
        sums = count(logits, batch.columns["labels"].ravel(), weights)
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
        return count(logits, batch.columns["labels"].ravel(), weights_of(batch)), carry, logits


def weights_of(batch: Batch) -> Array:
    """The weight of each text, those of a row together: 1, or 0 where there is none."""
    if (spans := batch.columns.get("spans")) is None:
        return batch.weights
    return (batch.weights[:, None] * (spans.lengths > 0)).ravel()


def signs(keys: Keys) -> Array:
    """1 or -1 for each example, drawn: `[B]`."""
    return jax.vmap(lambda key: jax.random.rademacher(jax.random.fold_in(key, SIGN), ()))(keys.examples)


def parts_of(settings: ClassifierSettings) -> dict[str, Part]:
    """What a language model, say, may lend: word vectors, and recurrent layers where there are any."""
    parts = {"embedding": Part(("embedding",), ("embedding_size",))}
    if settings.encoder.network == "recurrent":
        parts["recurrent"] = Part(("layers", "recurrent"), LAYER_SETTINGS)
    return parts


def bernoulli_divergence(first: Array, second: Array) -> Array:
    """KL(p ‖ q) in nats, of two labels whose log-odds are given: `[B], [B] -> [B]`."""
    p = jax.nn.sigmoid(first)
    more = jax.nn.softplus(second) - jax.nn.softplus(first)
    less = jax.nn.softplus(-second) - jax.nn.softplus(-first)
    return (1 - p) * more + p * less


def report_by_length(logits: NDArray[np.float32] | None, test: Any, unit: str = "reviews") -> Report:
    """Accuracy by length, and which test examples were classified correctly, a 1 or a 0 each."""
    if logits is None:
        return Report({"test_by_length": []}, {})
    correct = answers_of(logits) == test.columns["labels"]
    return Report(
        {"test_by_length": count_by_length(correct, test.beside["words"], unit)},
        {"test_correct.txt": answers_file(correct)},
    )


def count_by_length(
    correct: NDArray[np.bool_], words: NDArray[np.integer], unit: str = "reviews"
) -> list[dict[str, int | None]]:
    """How many examples there are of each range of length, and how many of them were classified correctly.

    Ranges end with `up_to` words, and begin above the end of the one before; the last has no end.
    """
    counts: list[dict[str, int | None]] = []
    for above, up_to in zip((-1, *UP_TO), UP_TO, strict=False):
        own = correct[(words > above) & (words <= up_to)]
        last = up_to == inf
        counts.append({"up_to": None if last else int(up_to), unit: own.size, "correct": int(own.sum())})
    return counts


def in_batches(
    settings: ClassifierSettings,
    train: Examples,
    validation: Examples,
    test: Examples,
    test_words: NDArray[np.int32],
) -> tuple[Bucketed | Packed, Bucketed, Bucketed]:
    """Splits in batches, padded to lengths that fit the training split; that is packed where it is to be.

    Args:
        settings: of the run.
        train: some may have no label.
        validation: may be empty.
        test: in the order of its texts.
        test_words: how many each of them has, before any was cut.
    """
    text, batch_size = settings.text, settings.training.batch_size
    boundaries = choose_boundaries(train.lengths, text.max_length, text.buckets)
    unlabelled = {"unlabelled": np.array((train.labels == NO_LABEL).sum())}
    first, second, third = (
        Bucketed(part.columns, part.lengths, boundaries, batch_size, beside)
        for part, beside in (
            (train, unlabelled),
            (validation, {}),
            (test, {"words": test_words}),
        )
    )
    if not text.packed:
        return first, second, third
    return Packed(train.columns, train.lengths, text.max_length, batch_size, unlabelled), second, third


def stand_in(settings: ClassifierSettings) -> TextPreprocessor:
    """Words and labels where there are no data: a whole vocabulary, and two labels."""
    return TextPreprocessor(
        Vocabulary([f"word{i}" for i in range(settings.text.vocabulary_size - FIRST_WORD)])
    )


def shapes(settings: ClassifierSettings, preprocessor: Preprocessor, rows: int) -> Shapes:
    """Of `rows` texts as long as they may be; the network is used to tell how probable their labels are."""
    time, features = settings.text.max_length, ratio_features(settings.text.log_count_ratios)
    lengths = jax.ShapeDtypeStruct((rows,), jnp.int32)
    columns: dict[str, Any] = {"tokens": Sequences(jax.ShapeDtypeStruct((rows, time), jnp.int32), lengths)}
    if features:
        ratios = jax.ShapeDtypeStruct((rows, time, features), jnp.float32)
        columns["ratios"] = Sequences(ratios, lengths)
    columns["labels"] = lengths
    own, several = batch_shapes(columns, rows), jax.ShapeDtypeStruct((rows, MOST), jnp.int32)
    packed = batch_shapes(columns | {"labels": several, "spans": Spans(several, several)}, rows)
    num_labels = len(preprocessor.answer_names())
    network = Network(settings, split(lambda: make_model(settings, num_labels))[0])

    def use(params: ModelParams, batch: Batch) -> Array:
        return probabilities_of(network.logits(params, batch))

    return Shapes(packed if settings.text.packed else own, use, (own,), own)


def read_preprocessor(settings: ClassifierSettings, directory: Path) -> TextPreprocessor:
    """The words and ratios that a run has kept."""
    return TextPreprocessor.read(directory, with_ratios=settings.text.log_count_ratios > 0)
