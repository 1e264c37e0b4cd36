"""What is counted of forecasts, against loops; and the published figures of the simplest forecasts."""

import os
from pathlib import Path

import numpy as np
import pytest

from rnn_jax.data.prepared import data_directory, is_prepared
from rnn_jax.data.sources.series import FOLDERS, SeriesSettings, load
from rnn_jax.data.windows import Windows
from rnn_jax.models.forecaster import OUTPUTS, QUANTILES
from rnn_jax.settings import with_flat
from rnn_jax.tasks.forecasting import SeriesPreprocessor, Settings, count, data_of, naive, report


def test_errors_are_counted_in_deviations(rng):
    forecast = rng.normal(size=(3, 4, 2, OUTPUTS)).astype(np.float32)
    forecast[..., 1:].sort(axis=-1)
    future, weights = rng.normal(size=(3, 4, 2)).astype(np.float32), np.array([1, 0, 1], np.float32)
    squares, sizes, inside, losses = [], [], [], []
    for b in (0, 2):
        for h in range(4):
            for c in range(2):
                y, (mean, *quantiles) = future[b, h, c], forecast[b, h, c]
                squares.append((y - mean) ** 2)
                sizes.append(abs(y - mean))
                inside.append(quantiles[0] <= y <= quantiles[-1])
                tilted = [
                    q * (y - v) if y > v else (1 - q) * (v - y)
                    for q, v in zip(QUANTILES, quantiles, strict=True)
                ]
                losses.append(squares[-1] + sum(tilted))
    sums = count(forecast, future, weights)
    expected = {"loss": losses, "mse": squares, "mae": sizes, "coverage": inside}
    assert {name: each.value for name, each in sums.items()} == {
        name: pytest.approx(np.mean(values), rel=1e-5) for name, values in expected.items()
    }


def test_the_simplest_forecast_repeats_the_last_season():
    history = np.arange(8, dtype=np.float32)[None, :, None]
    np.testing.assert_array_equal(naive(history, 5, 3)[0, :, 0], [5, 6, 7, 5, 6])
    np.testing.assert_array_equal(naive(history, 2, 1)[0, :, 0], [7, 7])
    np.testing.assert_array_equal(naive(history, 2, 24)[0, :, 0], [7, 7])  # less is read than a season


def test_where_nothing_changes_there_is_no_relative_error():
    """Errors are those after some steps, and after the last, whichever that is."""
    known = SeriesPreprocessor(("a",), (0.0,), (1.0,))
    test = Windows(np.zeros((40, 1), np.float32), 10, 40, 4, 5, 8)
    fields = report(np.ones((len(test), 5, 1, OUTPUTS), np.float32), test, known).fields
    assert [(each["steps"], each["rse"]) for each in fields["test_by_step"]] == [
        (1, None),
        (3, None),
        (5, None),
    ]


def test_own_series_that_have_grown_are_others(tmp_path):
    """A run goes on with the same alone."""
    found = []
    for length in (300, 301):
        (tmp_path / "mine.csv").write_text("x\n" + "".join(f"{i % 7}\n" for i in range(length)))
        settings = with_flat(Settings(), train=str(tmp_path / "mine.csv"), history=8, horizon=4, segment=4)
        found.append(data_of(settings, load(settings.data)).fingerprint)
    assert found[0] != found[1]
    assert all(found)
    assert (
        data_of(
            with_flat(Settings(), dataset="synthetic"), load(SeriesSettings(dataset="synthetic"))
        ).fingerprint
        == ""
    )


def test_what_is_said_of_the_test_part(rng):
    known = SeriesPreprocessor(("a", "b"), (1.0, 2.0), (3.0, 0.5), season=2)
    test = Windows(rng.normal(size=(40, 2)).astype(np.float32), 10, 40, 4, 6, 8)
    forecasts = rng.normal(size=(len(test), 6, 2, OUTPUTS)).astype(np.float32)
    fields = report(forecasts, test, known).fields
    future, repeated = test.futures(), naive(test.histories(), 6, 2)
    assert fields["test_naive_mse"] == pytest.approx(((repeated - future) ** 2).mean())
    assert [each["steps"] for each in fields["test_by_step"]] == [1, 3, 6]
    third = fields["test_by_step"][1]
    assert third["mse"] == pytest.approx(((forecasts[:, :3, :, 0] - future[:, :3]) ** 2).mean())
    truth, guess = known.back(future[:, 2]), known.back(forecasts[:, 2, :, 0])
    spread = ((truth - truth.mean()) ** 2).sum()
    assert third["rse"] == pytest.approx(np.sqrt(((guess - truth) ** 2).sum() / spread), rel=1e-5)


@pytest.mark.parametrize(
    ("dataset", "horizon", "figure", "expected"),
    [
        ("ett/h1", 720, "naive_mse", {720: 0.655}),
        ("ett/h1", 336, "naive_mse", {336: 0.650}),
        ("ett/h1", 48, "naive_mse", {48: 0.465}),
        ("exchange_rate", 24, "naive_rse", {3: 0.0171, 6: 0.0238, 12: 0.0329, 24: 0.0434}),
    ],
)
def test_the_simplest_forecasts_are_as_good_as_is_known(dataset, horizon, figure, expected):
    root = os.environ.get("TFDS_DATA_DIR")
    if not is_prepared(Path(data_directory(root)) / FOLDERS[dataset]):
        pytest.skip(f"{dataset} is not prepared: set TFDS_DATA_DIR")
    settings = with_flat(Settings(), dataset=dataset, horizon=horizon, history=168, segment=1)
    found = load(SeriesSettings(dataset=dataset), root)
    test = data_of(settings, found).test
    fake = np.zeros((len(test), horizon, len(found.variables), OUTPUTS), np.float32)
    by_step = {
        each["steps"]: each[figure]
        for each in report(fake, test, SeriesPreprocessor.of(found)).fields["test_by_step"]
    }
    assert {step: by_step[step] for step in expected} == pytest.approx(expected, rel=0.01)
