"""Series of numbers over time: one example a split, which is all of its steps."""

import csv
import gzip
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import numpy as np
import tensorflow_datasets as tfds

ETT = (
    "https://raw.githubusercontent.com/zhouhaoyi/ETDataset/1d16c8f4f943005d613b5bc962e9eeb06058cf07/ETT-small"
)
RATES = (
    "https://raw.githubusercontent.com/laiguokun/multivariate-time-series-data"
    "/d5be4e85367f2033d1bd843a02e2dce4bb860efc/exchange_rate"
)
VIX = "https://raw.githubusercontent.com/datasets/finance-vix/6f56e2760520824b787cf6b85945c62186d38bc6/data"
HOURS = 30 * 24  # of a month, as ETT is cut


class Table(NamedTuple):
    """T steps."""

    times: list[str]  # [T]; empty where they have none
    values: np.ndarray[Any, Any]  # [T, C]

    def cut(self, begin: int, end: int | None) -> "Table":
        """Some of them."""
        return Table(self.times[begin:end], self.values[begin:end])


def read_table(path: Path) -> Table:
    """A CSV file with a head, times in its first column, and numbers in the others."""
    _, *rows = csv.reader(path.read_text(encoding="utf-8").splitlines())
    return Table([row[0] for row in rows], np.array([row[1:] for row in rows], np.float32))


class Series(tfds.core.GeneratorBasedBuilder, skip_registration=True):  # type: ignore[call-arg]
    """Numbers, `values [T, C]`, and where there are any, times."""

    VERSION = tfds.core.Version("1.0.0")
    FILES: ClassVar[dict[str, str]]  # what is downloaded, by name
    VARIABLES: ClassVar[tuple[str, ...]]
    TIMES: ClassVar[str] = ""  # the name of that feature
    description: ClassVar[str]
    homepage: ClassVar[str]
    licence: ClassVar[str] = ""

    def _info(self) -> tfds.core.DatasetInfo:
        numbers = tfds.features.Tensor(
            shape=(None, len(self.VARIABLES)), dtype=np.float32, doc=", ".join(self.VARIABLES)
        )
        features: dict[str, Any] = {"values": numbers}
        if self.TIMES:
            features[self.TIMES] = tfds.features.Sequence(tfds.features.Text())
        return tfds.core.DatasetInfo(
            builder=self,
            description=self.description,
            features=tfds.features.FeaturesDict(features),
            homepage=self.homepage,
            license=self.licence or None,
        )

    def _split_generators(self, dl_manager: tfds.download.DownloadManager) -> dict[str, Any]:
        (path,) = (Path(each) for each in dl_manager.download(self.FILES).values())
        return {split: self._generate_examples(table) for split, table in self.read(path).items()}

    def _generate_examples(self, table: Table) -> Iterator[tuple[str, dict[str, Any]]]:
        yield "series", {"values": table.values} | ({self.TIMES: table.times} if self.TIMES else {})

    @staticmethod
    def read(path: Path) -> dict[str, Table]:
        """The splits of the file."""
        raise NotImplementedError


class EttH1(Series, skip_registration=True):  # type: ignore[call-arg]
    """Loads and oil temperature of a transformer by the hour: 12, 4 and 4 months, and the rest."""

    name = "ett"
    BUILDER_CONFIGS: ClassVar[list[Any]] = [
        tfds.core.BuilderConfig(name="h1", version=tfds.core.Version("1.0.0"))
    ]
    FILES: ClassVar[dict[str, str]] = {"all": f"{ETT}/ETTh1.csv"}
    VARIABLES = ("HUFL", "HULL", "MUFL", "MULL", "LUFL", "LULL", "OT")
    TIMES = "time"
    description = "Electricity Transformer Temperature, by the hour (H. Zhou et al., 2021)."
    homepage = "https://github.com/zhouhaoyi/ETDataset"
    licence = "CC BY-ND 4.0"

    @staticmethod
    def read(path: Path) -> dict[str, Table]:
        """Cut by months of 30 days, as published."""
        table, ends = read_table(path), (0, 12 * HOURS, 16 * HOURS, 20 * HOURS, None)
        names = ("train", "validation", "test", "rest")
        return {name: table.cut(ends[i] or 0, ends[i + 1]) for i, name in enumerate(names)}


class ExchangeRate(Series, skip_registration=True):  # type: ignore[call-arg]
    """Exchange rates of eight currencies by day, 1990 to 2016: 60, 20 and 20 %."""

    name = "exchange_rate"
    FILES: ClassVar[dict[str, str]] = {"all": f"{RATES}/exchange_rate.txt.gz"}
    VARIABLES = (
        "Australia",
        "British",
        "Canada",
        "Switzerland",
        "China",
        "Japan",
        "New Zealand",
        "Singapore",
    )
    description = "Daily exchange rates of eight currencies (G. Lai et al., 2018)."
    homepage = "https://github.com/laiguokun/multivariate-time-series-data"

    @staticmethod
    def read(path: Path) -> dict[str, Table]:
        """Cut after 60 and 80 % of the days, rounded down, as published."""
        lines = gzip.decompress(path.read_bytes()).decode("ascii").split()
        values = np.array([line.split(",") for line in lines], np.float32)
        first, second = int(0.6 * len(values)), int(0.8 * len(values))
        table = Table([], values)
        return {
            "train": table.cut(0, first),
            "validation": table.cut(first, second),
            "test": table.cut(second, None),
        }


class FinanceVix(Series, skip_registration=True):  # type: ignore[call-arg]
    """The volatility index of the S&P 500 by day: before 2016, to 2019, and from 2020 to July 2026."""

    name = "finance_vix"
    FILES: ClassVar[dict[str, str]] = {"all": f"{VIX}/vix-daily.csv"}
    VARIABLES = ("open", "high", "low", "close")
    TIMES = "date"
    description = "The CBOE volatility index VIX of the S&P 500, daily since 1990."
    homepage = "https://github.com/datasets/finance-vix"
    licence = "PDDL 1.0"

    @staticmethod
    def read(path: Path) -> dict[str, Table]:
        """Cut by years."""
        table = read_table(path)
        first, second = (sum(day < year for day in table.times) for year in ("2016", "2020"))
        return {
            "train": table.cut(0, first),
            "validation": table.cut(first, second),
            "test": table.cut(second, None),
        }
