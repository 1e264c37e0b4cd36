"""Series: windows of them, tables of one's own, and what is prepared."""

import gzip
import re

import numpy as np
import pytest

from rnn_jax.data import preparing
from rnn_jax.data.builders.series import EttH1, ExchangeRate, FinanceVix
from rnn_jax.data.prepared import read_examples
from rnn_jax.data.sources.series import SeriesSettings, load, read_csv, synthetic
from rnn_jax.data.windows import Windows
from rnn_jax.errors import UserError
from rnn_jax.settings import check


@pytest.fixture
def windows():
    """Of the numbers from 0 to 39: forecasts begin at 10."""
    values = np.stack([np.arange(40), -np.arange(40)], axis=1).astype(np.float32)
    return Windows(values, 10, 30, history=4, horizon=3, batch_size=8)


def test_a_window_for_every_step_at_which_a_forecast_may_begin(windows):
    assert len(windows) == 18
    assert windows.steps == 3
    np.testing.assert_array_equal(windows.histories()[0, :, 0], [6, 7, 8, 9])  # before the part, too
    np.testing.assert_array_equal(windows.futures()[0, :, 1], [-10, -11, -12])
    np.testing.assert_array_equal(windows.futures()[-1, :, 0], [27, 28, 29])
    first = Windows(windows.values, 0, 30, 4, 3, 8)
    np.testing.assert_array_equal(first.histories()[0, :, 0], [0, 1, 2, 3])
    assert not len(Windows(windows.values, 10, 12, 4, 3, 8))


def test_batches_hold_each_window_once(windows):
    batches = [windows.batch(plan) for plan in windows.once()]
    assert [int(batch.weights.sum()) for batch in batches] == [8, 8, 2]
    found = np.concatenate([batch.columns["future"][batch.weights > 0] for batch in batches])
    np.testing.assert_array_equal(found, windows.futures())
    plans = windows.epoch(seed=3, epoch=1)
    assert sorted(np.concatenate([plan.indices for plan in plans])) == list(range(18))
    assert [list(plan.indices) for plan in plans] == [list(p.indices) for p in windows.epoch(3, 1)]
    assert [list(plan.indices) for plan in plans] != [list(p.indices) for p in windows.epoch(3, 2)]


def test_a_host_takes_its_rows(windows):
    plan = windows.epoch(0, 0)[0]
    whole, part = windows.batch(plan), windows.batch(plan, range(4, 8))
    np.testing.assert_array_equal(part.columns["history"], whole.columns["history"][4:])
    np.testing.assert_array_equal(part.rows, [4, 5, 6, 7])


def write(path, lines):
    path.write_text("\n".join(lines) + "\n")
    return str(path)


def test_a_table_of_ones_own(tmp_path):
    lines = ["day,price,note,volume"] + [f"2024-01-{d:02},{d}.5,x,{2 * d}" for d in range(1, 31)]
    found = read_csv(write(tmp_path / "mine.csv", lines))
    assert (found.variables, found.values.shape, found.season) == (("price", "volume"), (30, 2), 1)
    assert found.ends == (21, 24, 30)
    alone = read_csv(write(tmp_path / "mine.csv", lines), "volume")
    np.testing.assert_array_equal(alone.values[:, 0], 2 * np.arange(1, 31))


DAYS = [f"2024-01-{d:02},{d}" for d in range(1, 20)]


@pytest.mark.parametrize(
    ("lines", "target", "words"),
    [
        (["day,x", *DAYS], "y", "--target y: .* has columns of numbers x: name one"),
        (["day", *(line[:10] for line in DAYS)], "", "has no column of numbers"),
        (
            ["day,x", *DAYS[:5], *DAYS[12:]],
            "",
            "leave some out at line 7 .2024-01-05 to 2024-01-13.: .* 1 day",
        ),
        (["day,x", *DAYS[:5], *DAYS[2:]], "", "go back at line 7"),
        (["day,x", *DAYS[:5], "2024-01-06,", *DAYS[6:]], "", "no number in column x, line 7"),
        (["day,x", *DAYS[:5], "2024-01-06,inf", *DAYS[6:]], "", "not finite"),
        (["day,x", "2024-01-01"], "", "cannot be read as CSV"),
        (["day,x,x", *(f"{line},1" for line in DAYS)], "", "a column twice"),
        (["day,x", *DAYS[:5], ",6", *DAYS[6:]], "", "no time in column day, line 7"),
        (["t,x", *(f"2024-01-01 00:0{m},1" for m in (0, 2, 4, 6, 7, 8))], "", "come closer at line 6"),
    ],
)
def test_what_is_no_series(tmp_path, lines, target, words):
    with pytest.raises(UserError, match=words):
        read_csv(write(tmp_path / "mine.csv", lines), target)


def test_days_without_trade_are_no_gap(tmp_path):
    lines = [f"2024-01-{d:02},{d}" for d in range(1, 31) if d % 7 not in (6, 0)]
    assert len(read_csv(write(tmp_path / "mine.csv", ["day,x", *lines])).values) == len(lines)


def test_months_and_years_are_not_all_as_long(tmp_path):
    for times in (
        [f"{2010 + m // 12}-{m % 12 + 1:02}-01" for m in range(40)],
        [f"{y}-01-01" for y in range(1990, 2024)],
    ):
        lines = [f"{time},{i}" for i, time in enumerate(times)]
        assert len(read_csv(write(tmp_path / "mine.csv", ["day,x", *lines])).values) == len(lines)


def test_a_time_of_the_day_is_no_date(tmp_path):
    lines = [f"12:00:{i:02},{i}" for i in range(30)]
    assert read_csv(write(tmp_path / "mine.csv", ["clock,x", *lines])).variables == ("x",)


def test_there_is_one_series():
    with pytest.raises(UserError, match=r"--train a\.csv: and --dataset ett/h1 exclude each other"):
        check(SeriesSettings(dataset="ett/h1", train="a.csv"))
    with pytest.raises(UserError, match="--target x: goes with --train"):
        check(SeriesSettings(target="x"))


def test_without_data_a_made_up_series(tmp_path):
    found = load(SeriesSettings(), str(tmp_path))
    assert found.name == "synthetic"
    np.testing.assert_array_equal(found.values, synthetic().values)
    for name in ("exchange_rate", "ett/h1"):
        with pytest.raises(UserError, match=re.escape(f"--dataset {name} --data-dir {tmp_path},")):
            load(SeriesSettings(dataset=name), str(tmp_path))


CSV = "date,a,b,c,d\n" + "".join(
    f"{2014 + i // 10}-01-{i % 10 + 1:02},{i}.5,{i + 2},{i},{i + 1}\n" for i in range(80)
)
TABLES = {
    FinanceVix: (CSV.encode(), {"train": 20, "validation": 40, "test": 20}),
    ExchangeRate: (
        gzip.compress(
            "".join(f"{', '.join([f'{i}.25'] * 8)}\n".replace(" ", "") for i in range(21)).encode()
        ),
        {"train": 12, "validation": 4, "test": 5},
    ),
    EttH1: (
        ("date,HUFL,HULL,MUFL,MULL,LUFL,LULL,OT\n" + "t,1,2,3,4,5,6,7\n" * (21 * 720)).encode(),
        {"train": 8640, "validation": 2880, "test": 2880, "rest": 720},
    ),
}


@pytest.mark.parametrize("builder", TABLES)
def test_what_is_prepared_is_what_the_file_holds(builder, tmp_path, published):
    content, sizes = TABLES[builder]
    (url,) = builder.FILES.values()
    published(builder, {url: (url.rsplit("/")[-1], content)})
    (tmp_path / url.rsplit("/")[-1]).write_bytes(content)
    name = "ett/h1" if builder is EttH1 else builder.name
    folder = preparing.prepare(name, str(tmp_path / "data"), str(tmp_path))
    parts = {split: read_examples(folder, split)[0] for split in sizes}
    assert {split: len(part["values"]) for split, part in parts.items()} == sizes
    assert parts["test"]["values"].shape == (sizes["test"], len(builder.VARIABLES))
    found = load(SeriesSettings(dataset=name), str(tmp_path / "data"))
    assert found.ends[2] == sum(sizes[split] for split in ("train", "validation", "test"))
    if builder is FinanceVix:
        assert parts["train"]["date"][-1] == b"2015-01-10"
        np.testing.assert_allclose(found.values[:3, 0], np.log([1, 2, 3]))  # at the close
    if builder is ExchangeRate:
        np.testing.assert_array_equal(found.values[20], [20.25] * 8)
