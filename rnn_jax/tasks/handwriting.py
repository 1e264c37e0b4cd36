"""Handwriting: where a pen goes next, and characters that it draws of its own."""

import math
from dataclasses import dataclass
from typing import Annotated, Any, NamedTuple, cast

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from numpy.typing import NDArray

from rnn_jax.cells.cell import Array
from rnn_jax.data.batches import Batch, Bucketed, Sequences
from rnn_jax.data.buckets import choose_boundaries
from rnn_jax.data.kept import Kept
from rnn_jax.data.sources import drawings
from rnn_jax.data.sources.drawings import ENDS, Drawing, Drawings, DrawingSettings
from rnn_jax.models.dropout import Keys
from rnn_jax.models.functional import Apply, ModelParams, split
from rnn_jax.models.pen import Pen, PenSettings
from rnn_jax.models.recurrent import LAYER_SETTINGS
from rnn_jax.models.summary import summarize_parts
from rnn_jax.seeds import make_key
from rnn_jax.settings import above
from rnn_jax.training.recipe import Data, Preprocessor, Recipe, Shapes, batch_shapes
from rnn_jax.training.settings import TrainingSettings
from rnn_jax.training.task import Carry, Figures, Mean, Metrics, Part, Report, Selection, Sums, Task
from rnn_jax.training.weights import Opened

NAME = "handwriting"
LONGEST = 142  # points of a drawing


@dataclass(frozen=True)
class Settings:
    """The settings of a run."""

    data: DrawingSettings = DrawingSettings()
    pen: PenSettings = PenSettings()
    training: TrainingSettings = TrainingSettings(
        learning_rate=3e-3, schedule="cosine", epochs=5, batch_size=64, average_decay=0.99
    )
    buckets: Annotated[int, above(0)] = 4
    """Number of lengths that batches are padded to; each is compiled once."""


@dataclass(frozen=True)
class DrawingPreprocessor(Kept):
    """What a drawing goes through before a network reads it: offsets in deviations.

    Attributes:
        deviation: of all offsets of the training drawings, in pixels; their mean stays.
        max_length: the most points of a drawing.
    """

    FILE = "drawings.json"

    deviation: float
    max_length: int

    def __call__(self, drawing: Drawing) -> Drawing:
        """What the network reads: `[N, 3] -> [N, 3]`."""
        return drawing * np.array([1 / self.deviation, 1 / self.deviation, 1], np.float32)

    def back(self, points: NDArray[np.floating]) -> NDArray[np.floating]:
        """In pixels: `[..., 3] -> [..., 3]`."""
        return points * np.array([self.deviation, self.deviation, 1], np.float32)

    @classmethod
    def of(cls, found: Drawings) -> "DrawingPreprocessor":
        """What is fit for a dataset, by its training drawings."""
        offsets = np.concatenate([each[:, :2] for each in found.train])
        longest = max(len(each) for part in found[1:] for each in part)
        return cls(float(offsets.std(dtype=np.float64)), longest)


def make_model(settings: Settings) -> Pen:
    """The network, with its initial weights."""
    return Pen(settings.pen, nnx.Rngs(make_key(settings.training.seed)))


class Network(NamedTuple):
    """The pen as functions of its parameters, as a task has them."""

    apply: Apply
    unit: float  # the logarithm of a pixel's area, in deviations

    def loss(self, params: ModelParams, batch: Batch, carry: Carry, keys: Keys) -> tuple[Sums, Carry]:
        """The sums of a batch in training."""
        return self.nats(params, batch, keys)[0], carry

    def evaluate(self, params: ModelParams, batch: Batch, carry: Carry) -> tuple[Sums, Carry, Array]:
        """The sums of a batch, and the nats of each drawing, `[B]`."""
        sums, nats = self.nats(params, batch)
        return sums, carry, nats

    def nats(self, params: ModelParams, batch: Batch, keys: Keys | None = None) -> tuple[Sums, Array]:
        """Nats of a point: of how far the pen goes, a density over pixels, and of what it does then."""
        points, lengths = batch.columns["points"]
        offsets, actions = self.apply(params, points, lengths, keys).log_likelihood(points)
        steps = jnp.arange(points.shape[1]) < lengths[:, None]
        number = (lengths * batch.weights).sum()
        own = {
            "offset_loss": jnp.where(steps, -offsets - self.unit, 0).sum(axis=1),
            "action_loss": jnp.where(steps, -actions, 0).sum(axis=1),
        }
        nats = own["offset_loss"] + own["action_loss"]
        sums = {
            name: Mean((each * batch.weights).sum(), number) for name, each in (own | {"loss": nats}).items()
        }
        return sums, nats


def make_network(settings: Settings, known: DrawingPreprocessor) -> Network:
    """The functions of a network of these settings."""
    return Network(split(lambda: make_model(settings))[0], -2 * math.log(known.deviation))


def make(settings: Settings, preprocessor: Preprocessor) -> Task:
    """The task of these settings."""
    network = make_network(settings, cast("DrawingPreprocessor", preprocessor))
    _, init = split(lambda: make_model(settings))
    pen = settings.pen
    return Task(
        name=NAME,
        init=init,
        loss=network.loss,
        evaluate=network.evaluate,
        metrics=Metrics(("loss",), ("offset_loss", "action_loss")),
        figures=Figures(("loss", "offset_loss", "action_loss")),
        selection=Selection("loss", higher=False),
        identity={
            "network": pen.network,
            "cell": pen.recurrent.cell,
            "unroll": pen.recurrent.unroll,
            "mixtures": pen.mixtures,
        },
        report=report,
        parts={"recurrent": Part(("recurrent",), LAYER_SETTINGS)} if pen.network == "recurrent" else {},
    )


def report(nats: NDArray[np.float32] | None, test: Any) -> Report:
    """How improbable a drawing is, in the mean over drawings."""
    mean = None if nats is None else float(nats.mean(dtype=np.float64))
    return Report({"test_nats_per_drawing": mean}, {})


def data_of(settings: Settings, found: Drawings) -> Data:
    """The splits of a dataset in batches."""
    known = DrawingPreprocessor.of(found)
    boundaries = choose_boundaries(
        np.array([len(each) for each in found.train], np.int32), known.max_length, settings.buckets
    )

    def batches(part: Any) -> Bucketed:
        lengths = np.array([len(each) for each in part], np.int32)
        columns = {"points": [known(each) for each in part]}
        return Bucketed(columns, lengths, boundaries, settings.training.batch_size)

    splits = batches(found.train), batches(found.validation), batches(found.test)
    return Data(found.name, "drawings", *splits, known)


def shapes(settings: Settings, preprocessor: Preprocessor, rows: int) -> Shapes:
    """Of `rows` drawings as long as they may be; the network is used to draw as many."""
    known = cast("DrawingPreprocessor", preprocessor)
    points = jax.ShapeDtypeStruct((rows, known.max_length, 3), jnp.float32)
    columns = {"points": Sequences(points, jax.ShapeDtypeStruct((rows,), jnp.int32))}

    def use(params: ModelParams, seed: Array) -> Array:
        key = jax.random.key(seed)
        return _draw(make_network(settings, known).apply, params, key, rows, 2 * known.max_length, 0.0)

    return Shapes(batch_shapes(columns, rows), use, (jax.ShapeDtypeStruct((), jnp.uint32),))


def summary(settings: Settings, preprocessor: Preprocessor) -> str:
    """The printed table of layers."""
    longest = cast("DrawingPreprocessor", preprocessor).max_length
    model = make_model(settings)
    return summarize_parts(model.parts(jax.ShapeDtypeStruct((1, longest, 3), jnp.float32)), model)


def draw(run: Opened, number: int, seed: int = 0, bias: float = 0.0) -> list[NDArray[np.floating]]:
    """Characters that a trained pen draws, as `rnn_jax.data.sources.drawings` has them.

    What has not come to an end when it is twice as long as the longest real one is left as it is.

    Args:
        run: a trained run.
        number: how many.
        seed: decides all draws.
        bias: 0 draws as people do; above, neater, from nearer to what is likeliest.
    """
    known = cast("DrawingPreprocessor", run.preprocessor)
    network = make_network(run.settings, known)
    work = jax.jit(lambda params, key: _draw(network.apply, params, key, number, 2 * known.max_length, bias))
    points = known.back(np.asarray(work(run.params, make_key(seed))))
    ends = (points[..., 2] == ENDS).argmax(axis=1)  # 0 where it has not come to an end
    return [each[: end + 1 if each[end, 2] == ENDS else None] for each, end in zip(points, ends, strict=True)]


def _draw(apply: Apply, params: ModelParams, key: Array, number: int, most: int, bias: float) -> Array:
    """Draws point after point, each from what may come after those before it: `[number, most, 3]`."""

    def step(carry: tuple[Array, Any], key: Array) -> tuple[tuple[Array, Any], Array]:
        found, state = apply(params, *carry, method="step")
        where, what = jax.random.split(key)
        offsets = found.place.sharper(bias).draw(where)
        action = jax.random.categorical(what, found.action).astype(offsets.dtype)
        point = jnp.concatenate([offsets, action[:, None]], axis=-1)
        return (point, state), point

    before = apply(params, number, method="start")
    _, points = jax.lax.scan(step, before, jax.random.split(key, most))
    return jnp.moveaxis(points, 0, 1)


RECIPE = Recipe(
    name=NAME,
    settings=Settings(),
    load=lambda settings, places: data_of(settings, drawings.load(settings.data, places.data_dir)),
    preprocessor=lambda settings, directory: DrawingPreprocessor.read(directory),
    make=make,
    summary=summary,
    stand_in=lambda settings: DrawingPreprocessor(1.0, LONGEST),
    shapes=shapes,
    used_by=NAME,
)
