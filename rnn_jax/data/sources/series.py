"""Series of numbers over time: sensors, markets, or a table of one's own.

ETTh1: H. Zhou et al. (Informer), AAAI 2021: hourly loads of a transformer and its oil temperature, twelve
months to learn from, four to validate and four to test. Exchange rates of eight currencies by day: G. Lai et
al. (LSTNet), SIGIR 2018. The volatility index VIX by day, its logarithm at the close: learnt from before
2016, tested on from 2020.
"""

import datetime
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import csv

from rnn_jax.data.prepared import data_directory, is_prepared, read_examples
from rnn_jax.errors import UserError
from rnn_jax.places import local
from rnn_jax.settings import require

FOLDERS = {
    "ett/h1": "ett/h1/1.0.0",
    "exchange_rate": "exchange_rate/1.0.0",
    "finance_vix": "finance_vix/1.0.0",
}
NAMES = {
    "ett/h1": ("HUFL", "HULL", "MUFL", "MULL", "LUFL", "LULL", "OT"),
    "exchange_rate": ("AUD", "GBP", "CAD", "CHF", "CNY", "JPY", "NZD", "SGD"),
    "finance_vix": ("log VIX",),
}
SEASONS = {"ett/h1": 24, "exchange_rate": 1, "finance_vix": 1, "synthetic": 24}
LEARNT, VALIDATED = 0.7, 0.1  # of a table, from the beginning; the rest is for the test
SEED = 2021  # of the made-up series


@dataclass(frozen=True)
class SeriesSettings:
    """Which series."""

    dataset: Literal["auto", "ett/h1", "exchange_rate", "finance_vix", "synthetic"] = "auto"
    """Series to forecast; synthetic: made up, with days and weeks; auto: ETTh1 where it is prepared."""
    train: str = ""
    """A series of one's own instead: a .csv file with a row a step, of which the last fifth is for the test
    and the tenth before it for validation."""
    target: str = ""
    """Its column to forecast; by default all that hold numbers."""

    def check(self) -> None:
        """Raises UserError unless there is one series."""
        alone = self.dataset == "auto" or not self.train
        require(alone, "train", self.train, f"and --dataset {self.dataset} exclude each other")
        require(bool(self.train) or not self.target, "target", self.target, "goes with --train")


class Series(NamedTuple):
    """A series in three parts.

    Attributes:
        name: of the dataset.
        variables: names of the columns.
        values: `[T, C]`.
        ends: the steps behind the training, the validation and the test part.
        season: after how many steps the simplest forecast repeats itself: 1, the last value.
    """

    name: str
    variables: tuple[str, ...]
    values: NDArray[np.float64]
    ends: tuple[int, int, int]
    season: int


def at_hand(data_dir: str | None = None) -> Literal["ett/h1", "synthetic"]:
    """What `auto` comes to."""
    return "ett/h1" if is_prepared(data_directory(data_dir) / FOLDERS["ett/h1"]) else "synthetic"


def load(settings: SeriesSettings, data_dir: str | None = None) -> Series:
    """A series.

    Raises:
        UserError: if it is not at hand, or a file does not hold one.
    """
    if settings.train:
        return read_csv(settings.train, settings.target)
    name = at_hand(data_dir) if settings.dataset == "auto" else settings.dataset
    if name == "synthetic":
        return synthetic()
    folder = data_directory(data_dir) / FOLDERS[name]
    splits, configured = ("train", "validation", "test"), "/" in name
    parts = [read_examples(folder, split, configured)[0]["values"] for split in splits]
    if name == "finance_vix":
        parts = [np.log(part[:, 3:]) for part in parts]
    first, second, third = np.cumsum([len(part) for part in parts])
    values = np.concatenate(parts).astype(np.float64)
    return Series(name, NAMES[name], values, (int(first), int(second), int(third)), SEASONS[name])


def read_csv(file: str, target: str = "") -> Series:
    """A table as a series: numbers in columns, and a column of dates, if any, whose steps are of one length.

    Raises:
        UserError: if it cannot be read, has no such column, holes, or dates that leave some out.
    """
    place = local(file)
    try:
        table = csv.read_csv(place)
    except (OSError, pa.ArrowException) as error:
        raise UserError(f"--train {file} cannot be read as CSV ({error})") from error
    names = table.column_names
    if len(set(names)) < len(names):
        raise UserError(f"--train {file} has a column twice: give each a name of its own")
    for field in table.schema:
        if pa.types.is_date(field.type) or pa.types.is_timestamp(field.type):
            _check_steps(file, field.name, table.column(field.name).to_pylist())
    numbers = [
        field.name
        for field in table.schema
        if pa.types.is_floating(field.type) or pa.types.is_integer(field.type)
    ]
    if not numbers:
        raise UserError(f"--train {file} has no column of numbers")
    chosen = [target] if target else numbers
    if not set(chosen) <= set(numbers):
        raise UserError(f"--target {target}: {file} has columns of numbers {', '.join(numbers)}: name one")
    for name in chosen:
        if table.column(name).null_count:
            row = table.column(name).is_null().to_pylist().index(True) + 2
            raise UserError(f"{file} has no number in column {name}, line {row}: fill it, or cut it off")
    values = np.stack([table.column(name).to_numpy() for name in chosen], axis=1).astype(np.float64)
    if not np.isfinite(values).all():
        raise UserError(f"{file} holds numbers that are not finite: fill them, or cut them off")
    total = len(values)
    ends = round(total * LEARNT), round(total * (LEARNT + VALIDATED)), total
    return Series(Path(file).name, tuple(chosen), values, ends, 1)


def _check_steps(file: str, column: str, times: list[Any]) -> None:
    """Raises UserError where the time between two rows is another than the usual one.

    Of days, those without trade may be missing; months and years are not all as long.
    """
    if None in times:
        raise UserError(f"{file} has no time in column {column}, line {times.index(None) + 2}")
    steps = [after - before for before, after in pairwise(times)]
    if not steps:
        return
    usual = sorted(steps)[len(steps) // 2]
    shortest, longest = usual, usual
    if usual == datetime.timedelta(days=1):
        longest = datetime.timedelta(days=5)
    elif usual >= datetime.timedelta(days=28):
        shortest, longest = 0.9 * usual, 1.1 * usual
    for row, step in enumerate(steps):
        if not shortest <= step <= longest:
            words = "leave some out" if step > longest else "come closer" if step > 0 * step else "go back"
            raise UserError(
                f"{file}: the times in column {column} {words} at line {row + 3} ({times[row]} to "
                f"{times[row + 1]}): rows must be {usual} apart"
            )


def synthetic(steps: int = 3000) -> Series:
    """A made-up series by the hour: two variables with days and weeks, and noise that lasts."""
    rng = np.random.default_rng(SEED)
    hours = np.arange(steps)
    day, week = np.sin(2 * np.pi * hours / 24), np.sin(2 * np.pi * hours / 168)
    noise = np.zeros((steps, 2))
    for step in range(1, steps):
        noise[step] = 0.9 * noise[step - 1] + 0.15 * rng.normal(size=2)
    values = np.stack([day + 0.5 * week, 0.7 * np.roll(day, 6) + 0.3 * week], axis=1) + noise
    ends = int(steps * LEARNT), int(steps * (LEARNT + VALIDATED)), steps
    return Series("synthetic", ("first", "second"), values, ends, SEASONS["synthetic"])
