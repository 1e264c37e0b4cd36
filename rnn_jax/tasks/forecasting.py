"""Forecasts of a series: the mean, and a band of quantiles, of every step to come."""

import hashlib
from dataclasses import dataclass
from typing import Any, NamedTuple, cast

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from numpy.typing import NDArray

from rnn_jax.cells.cell import Array
from rnn_jax.data.batches import Batch
from rnn_jax.data.kept import Kept
from rnn_jax.data.sources import series
from rnn_jax.data.sources.series import Series, SeriesSettings
from rnn_jax.data.windows import Windows
from rnn_jax.errors import UserError
from rnn_jax.models.dropout import Keys
from rnn_jax.models.forecaster import (
    OUTPUTS,
    QUANTILES,
    ForecasterSettings,
    LinearForecaster,
    SegmentedForecaster,
    make_forecaster,
)
from rnn_jax.models.functional import Apply, ModelParams, split
from rnn_jax.models.recurrent import LAYER_SETTINGS
from rnn_jax.models.summary import summarize_parts
from rnn_jax.seeds import make_key
from rnn_jax.training.recipe import Data, Places, Preprocessor, Recipe, Shapes, batch_shapes
from rnn_jax.training.settings import TrainingSettings
from rnn_jax.training.task import (
    Carry,
    Figures,
    Mean,
    Metrics,
    Part,
    Report,
    Selection,
    Sums,
    Task,
)

NAME = "forecasting"
STEPS = (1, 3, 6, 12, 24, 48, 96, 168, 192, 336, 720)  # after which errors are reported, and after the last


@dataclass(frozen=True)
class Settings:
    """The settings of a run. The defaults forecast four days of ETTh1."""

    data: SeriesSettings = SeriesSettings()
    forecaster: ForecasterSettings = ForecasterSettings()
    training: TrainingSettings = TrainingSettings(
        learning_rate=1e-3, schedule="cosine", epochs=10, average_decay=0.99
    )


@dataclass(frozen=True)
class SeriesPreprocessor(Kept):
    """The variables of a series, and what makes each have mean 0 and deviation 1 in the training part."""

    FILE = "series.json"

    variables: tuple[str, ...]
    means: tuple[float, ...]
    deviations: tuple[float, ...]
    season: int = 1

    def __call__(self, values: NDArray[Any]) -> NDArray[np.float32]:
        """What the network reads: `[T, C] -> [T, C]`."""
        return ((values - np.array(self.means)) / np.array(self.deviations)).astype(np.float32)

    def back(self, values: NDArray[Any]) -> NDArray[np.float64]:
        """In the units of the series: `[..., C] -> [..., C]`."""
        return values * np.array(self.deviations) + np.array(self.means)

    @classmethod
    def of(cls, found: Series) -> "SeriesPreprocessor":
        """What is fit for a series, by its training part."""
        learnt = found.values[: found.ends[0]]
        deviations = np.where(learnt.std(axis=0) > 0, learnt.std(axis=0), 1.0)
        return cls(
            found.variables, tuple(learnt.mean(axis=0).tolist()), tuple(deviations.tolist()), found.season
        )


def make_model(settings: Settings, preprocessor: Preprocessor) -> SegmentedForecaster | LinearForecaster:
    """The network, with its initial weights."""
    variables = len(cast("SeriesPreprocessor", preprocessor).variables)
    return make_forecaster(settings.forecaster, variables, nnx.Rngs(make_key(settings.training.seed)))


class Network(NamedTuple):
    """The forecaster as functions of its parameters, as a task has them."""

    apply: Apply

    def loss(self, params: ModelParams, batch: Batch, carry: Carry, keys: Keys) -> tuple[Sums, Carry]:
        """The sums of a batch in training."""
        forecast = self.apply(params, batch.columns["history"], keys)
        sums = count(forecast, batch.columns["future"], batch.weights)
        return {name: sums[name] for name in ("loss", "mse")}, carry

    def evaluate(self, params: ModelParams, batch: Batch, carry: Carry) -> tuple[Sums, Carry, Array]:
        """The sums of a batch, and its forecasts."""
        forecast = self.apply(params, batch.columns["history"])
        return count(forecast, batch.columns["future"], batch.weights), carry, forecast


def count(forecast: Array, future: Array, weights: Array) -> Sums:
    """The errors of forecasts `[B, H, C, OUTPUTS]` of what came, `[B, H, C]`, in deviations.

    `mse` and `mae` are of the mean, `coverage` is the share of numbers between the outer quantiles, and the
    loss is the squared error of the mean with the quantile losses of the others:
    Σ_q max(q e, (q - 1) e) of e = y - ŷ_q (R. Koenker and G. Bassett, Econometrica 46, 1978).
    """
    error = future - forecast[..., 0]
    quantiles = jnp.array(QUANTILES)
    below = future[..., None] - forecast[..., 1:]
    pinball = jnp.maximum(quantiles * below, (quantiles - 1) * below).sum(axis=-1)
    inside = (future >= forecast[..., 1]) & (future <= forecast[..., -1])
    number = weights.sum() * future.shape[1] * future.shape[2]

    def mean(values: Array) -> Mean:
        return Mean((values.sum(axis=(1, 2)) * weights).sum(), number)

    return {
        "loss": mean(error**2 + pinball),
        "mse": mean(error**2),
        "mae": mean(jnp.abs(error)),
        "coverage": mean(inside.astype(jnp.float32)),
    }


def make(settings: Settings, preprocessor: Preprocessor) -> Task:
    """The task of these settings, for the variables of a preprocessor."""
    known = cast("SeriesPreprocessor", preprocessor)
    apply, init = split(lambda: make_model(settings, known))
    network = Network(apply)
    forecaster = settings.forecaster
    recurrent = forecaster.network == "recurrent"
    return Task(
        name=NAME,
        init=init,
        loss=network.loss,
        evaluate=network.evaluate,
        metrics=Metrics(("loss",), ("mse",)),
        figures=Figures(("loss", "mse", "mae", "coverage")),
        selection=Selection("mse", higher=False),
        identity={
            "network": forecaster.network,
            "cell": forecaster.recurrent.cell,
            "unroll": forecaster.recurrent.unroll,
            "history": forecaster.history,
            "horizon": forecaster.horizon,
        },
        report=lambda forecasts, test: report(forecasts, test, known),
        parts={"recurrent": Part(("recurrent",), LAYER_SETTINGS)} if recurrent else {},
    )


def naive(histories: NDArray[np.float32], horizon: int, season: int) -> NDArray[np.float32]:
    """The last season over and over, `[N, L, C] -> [N, H, C]`; where none is read, the last value."""
    length = season if season <= histories.shape[1] else 1
    return histories[:, -length:][:, np.arange(horizon) % length]


def report(forecasts: NDArray[np.float32] | None, test: Any, known: SeriesPreprocessor) -> Report:
    """Errors beside those of repeating the last season: on the whole, and after some steps.

    `mse` is of all steps up to there, in deviations; `rse` of that step alone, in the units of the series:
    the root of the squared errors, as a share of that of the distances to the mean (Lai et al., 2018).
    """
    if forecasts is None:
        return Report({"test_naive_mse": None, "test_naive_mae": None, "test_by_step": []}, {})
    future = test.futures()
    repeated = naive(test.histories(), future.shape[1], known.season)
    errors = {"": forecasts[..., 0] - future, "naive_": repeated - future}
    scale = np.array(known.deviations)
    by_step = []
    horizon = future.shape[1]
    for step in sorted({step for step in STEPS if step <= horizon} | {horizon}):
        truth = known.back(future[:, step - 1])
        spread = np.sqrt(((truth - truth.mean()) ** 2).sum())
        found: dict[str, float | None] = {"steps": step}
        for name, error in errors.items():
            found[f"{name}mse"] = float((error[:, :step] ** 2).mean(dtype=np.float64))
            own = np.sqrt(((error[:, step - 1] * scale) ** 2).sum())
            found[f"{name}rse"] = float(own / spread) if spread else None  # nothing changes there
        by_step.append(found)
    fields = {
        "test_naive_mse": float((errors["naive_"] ** 2).mean(dtype=np.float64)),
        "test_naive_mae": float(np.abs(errors["naive_"]).mean(dtype=np.float64)),
        "test_by_step": by_step,
    }
    return Report(fields, {})


def load(settings: Settings, places: Places) -> Data:
    """The series; see `rnn_jax.data.sources.series.load` for errors."""
    return data_of(settings, series.load(settings.data, places.data_dir))


def data_of(settings: Settings, found: Series) -> Data:
    """The windows of a series.

    Raises:
        UserError: if a part is too short for one.
    """
    known = SeriesPreprocessor.of(found)
    history, horizon = settings.forecaster.history, settings.forecaster.horizon
    values = known(found.values)
    parts = [
        Windows(values, begin, end, history, horizon, settings.training.batch_size)
        for begin, end in zip((0, *found.ends), found.ends, strict=False)
    ]
    for name, part in zip(("training", "validation", "test"), parts, strict=True):
        if not len(part):
            raise UserError(
                f"the {name} part of {found.name} has {part.end - part.begin:,} steps, too few for "
                f"--history {history} and --horizon {horizon}: use smaller ones"
            )
    first, second, third = parts
    fingerprint = ""
    if settings.data.train:  # which may grow, and is then cut elsewhere
        fingerprint = hashlib.sha256(
            repr((found.variables, found.ends)).encode() + values.tobytes()
        ).hexdigest()
    return Data(found.name, "windows", first, second, third, known, fingerprint=fingerprint)


def stand_in(settings: Settings) -> SeriesPreprocessor:
    """What stands in for the series of the settings; for one that is not known yet, ETTh1."""
    names = series.NAMES.get(settings.data.dataset, series.NAMES["ett/h1"])
    return SeriesPreprocessor(names, (0.0,) * len(names), (1.0,) * len(names))


def shapes(settings: Settings, preprocessor: Preprocessor, rows: int) -> Shapes:
    """Of `rows` windows; the network is used to forecast what comes after one."""
    variables = len(cast("SeriesPreprocessor", preprocessor).variables)
    forecaster = settings.forecaster
    columns = {
        "history": jax.ShapeDtypeStruct((rows, forecaster.history, variables), jnp.float32),
        "future": jax.ShapeDtypeStruct((rows, forecaster.horizon, variables), jnp.float32),
    }
    network = Network(split(lambda: make_model(settings, preprocessor))[0])
    use = lambda params, history: network.apply(params, history)  # noqa: E731
    return Shapes(batch_shapes(columns, rows), use, (columns["history"],))


def summary(settings: Settings, preprocessor: Preprocessor) -> str:
    """The printed table of layers."""
    variables = len(cast("SeriesPreprocessor", preprocessor).variables)
    forecaster = settings.forecaster
    history = jax.ShapeDtypeStruct((1, forecaster.history, variables), jnp.float32)
    model = make_model(settings, preprocessor)
    return summarize_parts(model.parts(history), model)


def forecast(run: Any, history: NDArray[Any]) -> NDArray[np.float64]:
    """What comes after a history, in the units of the series: `[L, C] -> [H, C, OUTPUTS]`."""
    known = cast("SeriesPreprocessor", run.preprocessor)
    network = Network(split(lambda: make_model(run.settings, known))[0])
    [found] = jax.jit(network.apply)(run.params, known(history)[None])
    shown = [known.back(np.asarray(found[..., output])) for output in range(OUTPUTS)]
    return np.stack(shown, axis=-1)


RECIPE = Recipe(
    name=NAME,
    settings=Settings(),
    load=load,
    preprocessor=lambda settings, directory: SeriesPreprocessor.read(directory),
    make=make,
    summary=summary,
    stand_in=stand_in,
    shapes=shapes,
    used_by=NAME,
)
