"""A classifier of sequences of vectors as a task, whatever the vectors are."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, NamedTuple, cast

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from numpy.typing import NDArray

from rnn_jax.cells.cell import Array
from rnn_jax.data.batches import Batch, Bucketed, Plan, Sequences
from rnn_jax.data.buckets import choose_boundaries
from rnn_jax.data.vectors import LabelledVectors, VectorPreprocessor, Vectors
from rnn_jax.errors import UserError
from rnn_jax.models.dropout import Keys
from rnn_jax.models.functional import Apply, ModelParams, split
from rnn_jax.models.networks import EncoderSettings
from rnn_jax.models.recurrent import LAYER_SETTINGS, RecurrentSettings
from rnn_jax.models.summary import summarize_vector_classifier
from rnn_jax.models.vector_classifier import VectorClassifier
from rnn_jax.seeds import make_key
from rnn_jax.settings import above
from rnn_jax.tasks.labels import answers_file, answers_of, count, probabilities_of
from rnn_jax.training.recipe import Data, Places, Preprocessor, Recipe, Shapes, batch_shapes
from rnn_jax.training.settings import TrainingSettings
from rnn_jax.training.task import Carry, Figures, Metrics, Part, Report, Selection, Sums, Task
from rnn_jax.training.weights import Opened


@dataclass(frozen=True)
class VectorSettings:
    """The settings of a classifier, but for what it reads."""

    encoder: EncoderSettings = EncoderSettings(
        recurrent=RecurrentSettings(hidden_size=128, dropout=0.2), pooling="last"
    )
    training: TrainingSettings = TrainingSettings(learning_rate=3e-3, schedule="cosine")
    buckets: Annotated[int, above(0)] = 1
    """Number of lengths that batches are padded to; each is compiled once."""


def make_model(settings: VectorSettings, preprocessor: VectorPreprocessor) -> VectorClassifier:
    """The network, with its initial weights."""
    return VectorClassifier(
        settings.encoder,
        input_size=preprocessor.size,
        max_length=preprocessor.max_length,
        num_labels=len(preprocessor.labels),
        rngs=nnx.Rngs(make_key(settings.training.seed)),
    )


class Network(NamedTuple):
    """The classifier as functions of its parameters, as a task has them."""

    apply: Apply

    def logits(self, params: ModelParams, batch: Batch, keys: Keys | None = None) -> Array:
        """The log-odds of a batch, `[B]`; the logits `[B, K]` of K labels."""
        vectors = batch.columns["vectors"]
        return self.apply(params, vectors.values, vectors.lengths, keys, method="logits")

    def loss(self, params: ModelParams, batch: Batch, carry: Carry, keys: Keys) -> tuple[Sums, Carry]:
        """The sums of a batch in training."""
        return count(self.logits(params, batch, keys), batch.columns["labels"], batch.weights), carry

    def evaluate(self, params: ModelParams, batch: Batch, carry: Carry) -> tuple[Sums, Carry, Array]:
        """The sums of a batch, and its logits."""
        logits = self.logits(params, batch)
        return count(logits, batch.columns["labels"], batch.weights), carry, logits


def make_network(settings: VectorSettings, preprocessor: VectorPreprocessor) -> Network:
    """The functions of a network of these settings."""
    return Network(split(lambda: make_model(settings, preprocessor))[0])


def make_recipe(
    name: str,
    settings: VectorSettings,
    load: Callable[[Any, Places], LabelledVectors],
    largest: Callable[[Any], VectorPreprocessor],
    unit: str,
) -> Recipe:
    """How a classifier of some sequences is made.

    Args:
        name: of the task.
        settings: the defaults.
        load: the sequences of settings.
        largest: what stands in for a preprocessor where there are no data.
        unit: what examples are, for people.
    """

    def make(settings: VectorSettings, preprocessor: Preprocessor) -> Task:
        known = cast("VectorPreprocessor", preprocessor)
        _, init = split(lambda: make_model(settings, known))
        network = make_network(settings, known)
        recurrent = settings.encoder.network == "recurrent"
        return Task(
            name=name,
            init=init,
            loss=network.loss,
            evaluate=network.evaluate,
            metrics=Metrics(("loss",), ("accuracy",)),
            figures=Figures(("loss", "accuracy")),
            selection=Selection("accuracy", higher=True, among_equals="loss"),
            identity={
                "network": settings.encoder.network,
                "cell": settings.encoder.recurrent.cell,
                "unroll": settings.encoder.recurrent.unroll,
            },
            report=lambda logits, test: report(logits, test, len(known.labels)),
            parts={"recurrent": Part(("layers", "recurrent"), LAYER_SETTINGS)} if recurrent else {},
        )

    def load_batches(settings: VectorSettings, places: Places) -> Data:
        return data_of(settings, load(settings, places), unit)

    def summary(settings: VectorSettings, preprocessor: Preprocessor) -> str:
        known = cast("VectorPreprocessor", preprocessor)
        return summarize_vector_classifier(make_model(settings, known), known.max_length, known.size)

    return Recipe(
        name=name,
        settings=settings,
        load=load_batches,
        preprocessor=lambda settings, directory: VectorPreprocessor.read(directory),
        make=make,
        summary=summary,
        stand_in=largest,
        shapes=shapes,
        used_by=name,
    )


def data_of(settings: VectorSettings, found: LabelledVectors, unit: str) -> Data:
    """The splits of a dataset in batches."""
    preprocessor = VectorPreprocessor.of(found)
    lengths = np.array([len(each) for each in found.train.sequences], np.int32)
    boundaries = choose_boundaries(lengths, preprocessor.max_length, settings.buckets)

    def batches(part: Vectors) -> Bucketed:
        columns: dict[str, Any] = {"vectors": [preprocessor(each) for each in part.sequences]}
        columns["labels"] = part.labels.astype(np.int32)
        own = np.array([len(each) for each in part.sequences], np.int32)
        return Bucketed(columns, own, boundaries, settings.training.batch_size)

    splits = batches(found.train), batches(found.validation), batches(found.test)
    return Data(found.name, unit, *splits, preprocessor)


def shapes(settings: VectorSettings, preprocessor: Preprocessor, rows: int) -> Shapes:
    """Of `rows` sequences as long as they may be; the network is used to tell how probable labels are."""
    known = cast("VectorPreprocessor", preprocessor)
    counts = jax.ShapeDtypeStruct((rows,), jnp.int32)
    vectors = jax.ShapeDtypeStruct((rows, known.max_length, known.size), jnp.float32)
    network = make_network(settings, known)

    def use(params: ModelParams, batch: Batch) -> Array:
        return probabilities_of(network.logits(params, batch))

    batch = batch_shapes({"vectors": Sequences(vectors, counts), "labels": counts}, rows)
    return Shapes(batch, use, (batch,))


def report(logits: NDArray[np.float32] | None, test: Any, num_labels: int) -> Report:
    """Which label was answered how often for which, `[K, K]`, and which examples were answered correctly."""
    if logits is None:
        return Report({"test_confusion": []}, {})
    labels, answers = test.columns["labels"], answers_of(logits)
    confusion = np.zeros((num_labels, num_labels), int)
    np.add.at(confusion, (labels, answers), 1)
    files = {"test_correct.txt": answers_file(answers == labels)}
    return Report({"test_confusion": confusion.tolist()}, files)


def probabilities(run: Opened, sequences: Sequence[NDArray[Any]]) -> NDArray[np.float32]:
    """How probable each label is for each of some sequences: `[T, D]` each `-> [N, K]`.

    Raises:
        UserError: if one is longer than the network can read.
    """
    preprocessor = cast("VectorPreprocessor", run.preprocessor)
    longest, most = max(map(len, sequences)), preprocessor.max_length
    if run.settings.encoder.network == "flat" and longest > most:
        raise UserError(f"{longest} steps are more than the {most} that this linear network reads")
    lengths = np.array([len(each) for each in sequences], np.int32)
    values = np.zeros((len(sequences), longest, preprocessor.size), np.float32)
    for row, each in zip(values, sequences, strict=True):
        row[: len(each)] = preprocessor(each)
    return _probabilities(run, values, lengths)


def probabilities_over_time(run: Opened, sequence: NDArray[Any]) -> NDArray[np.float32]:
    """How probable each label is when some steps of a sequence have been read: `[T, D] -> [T, K]`.

    Row t is what the network says of the first t + 1 steps, as of a sequence that ends there: T sequences,
    for short ones, and for pictures.
    """
    time = len(sequence)
    values = np.broadcast_to(cast("VectorPreprocessor", run.preprocessor)(sequence), (time, *sequence.shape))
    return _probabilities(run, values, np.arange(1, time + 1, dtype=np.int32))


def _probabilities(run: Opened, values: NDArray[Any], lengths: NDArray[np.int32]) -> NDArray[np.float32]:
    network = make_network(run.settings, cast("VectorPreprocessor", run.preprocessor))
    batch = Batch({"vectors": Sequences(values, lengths)}, np.ones(len(values), np.float32), lengths)
    return np.asarray(probabilities_of(jax.jit(network.logits)(run.params, batch)))


def accuracies_over_time(run: Opened, split: Bucketed, shares: Sequence[float]) -> list[float]:
    """Accuracy when a share of the steps of each sequence has been read, as of sequences that end there.

    Of some 1,000 examples of a split, every so many-th.
    """
    network = make_network(run.settings, cast("VectorPreprocessor", run.preprocessor))
    logits = jax.jit(network.logits)
    chosen = np.arange(0, len(split), max(1, len(split) // 1000))
    rows = range(min(len(chosen), split.batch_size))
    plans = [Plan(chosen[i : i + len(rows)], split.boundaries[-1]) for i in range(0, len(chosen), len(rows))]
    correct = np.zeros(len(shares))
    for plan in plans:
        batch = split.batch(plan, rows)
        vectors = batch.columns["vectors"]
        for i, share in enumerate(shares):
            lengths = np.ceil(share * vectors.lengths).astype(np.int32)
            cut = batch._replace(columns={"vectors": Sequences(vectors.values, lengths)})
            right = answers_of(np.asarray(logits(run.params, cut))) == batch.columns["labels"]
            correct[i] += right[: len(plan.indices)].sum()
    return list(correct / len(chosen))
