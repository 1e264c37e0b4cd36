"""Compiling a run for other machines: here, for the CPU devices that there are."""

import json
import re

import jax
import pytest

from experiments import benchmark_ahead, benchmark_input, compile_for
from rnn_jax.ahead.compiling import Refused
from rnn_jax.ahead.targets import Target
from rnn_jax.errors import RunError, UserError
from tests.conftest import need_devices
from tests.training.runs import make_run

SMALL = "--batch-size 4"


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A folder with a run."""
    folder = tmp_path_factory.mktemp("compile_for")
    make_run(folder / "run").train("test")
    return folder


@pytest.fixture
def call(monkeypatch, tmp_path, trained):
    """Runs a script for two CPU devices, with as much memory as is said."""
    need_devices(2)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "run").symlink_to(trained / "run")
    memory = {"each": 10**9}

    def opened(platform, topology=None):
        return Target("cpu", topology or "two", "a CPU", memory["each"], jax.devices()[:2])

    for module in (compile_for, benchmark_ahead):
        monkeypatch.setattr(module, "open_target", opened)
        monkeypatch.setattr(module, "keep_to_compilers", lambda: None)

    def call(script, line, each=10**9):
        memory["each"] = each
        monkeypatch.setattr("sys.argv", [f"{script.__name__}.py", *line.split()])
        return script.main()

    return call


def test_what_a_run_needs_is_printed(call, capsys):
    assert call(compile_for, f"--workdir run {SMALL} --unroll dynamic") == 0
    said = capsys.readouterr().out
    assert "run for two: 2 × a CPU, 4 examples a step" in said
    assert re.search(r"training ┃ +evaluation ┃ +use", said)
    assert "all-reduce" in said
    assert re.search(r"loops: trips × launches +│ +\d+ × \d+", said)


def test_the_largest_batch_that_fits(call, capsys):
    call(compile_for, f"--workdir run {SMALL}")
    needed = re.search(r"memory, of.*?│ +([\d.]+) (\w+)", capsys.readouterr().out)
    size = float(needed[1]) * {"KiB": 2**10, "MiB": 2**20}[needed[2]]
    call(compile_for, f"--workdir run {SMALL} --fit", each=2.5 * size)
    found = re.search(
        r"largest batch that fits: (\d+) examples a device, (\d+) in all", capsys.readouterr().out
    )
    assert int(found[1]) >= 2
    assert int(found[2]) == 2 * int(found[1])


@pytest.mark.parametrize(
    ("line", "each", "message"),
    [
        ("--batch-size 3", 10**9, "--batch-size 3: cannot be shared evenly by 2 devices"),
        ("--batch-size 0", 10**9, "--batch-size 0: must be above 0"),
        ("--preset gru", 10**9, "--preset and --workdir exclude each other"),
        (SMALL, 1000, r"run does not run on two: training needs .* a chip, and a a CPU has 0"),
        (f"{SMALL} --fit", 1000, "run does not fit on two, however small the batch"),
    ],
)
def test_what_does_not_fit_is_named(line, each, message, call):
    with pytest.raises(UserError, match=message):
        call(compile_for, f"--workdir run {line}", each)


def test_layers_and_runs_are_recorded_once(call, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(benchmark_ahead, "CELLS", ("gru", "mingru"))
    monkeypatch.setattr(benchmark_ahead, "CHOSEN", ("minute",))
    monkeypatch.setattr(benchmark_ahead, "SCALED", ())
    monkeypatch.setattr(benchmark_ahead, "EACH", 1)
    line = "--output out --platform cuda --hidden 4 --batch 2 --times 6"
    call(benchmark_ahead, line)
    rows = [json.loads(row) for row in (tmp_path / "out/ahead.jsonl").read_text().splitlines()]
    layers = [(row["cell"], row["unroll"]) for row in rows if row["what"] == "layer"]
    assert layers == [
        *(("gru", name) for name in ("dynamic", "fused", "hoisted", "checkpointed")),
        *(("mingru", name) for name in ("dynamic", "hoisted", "checkpointed", "parallel")),
    ]
    assert [row["topology"] for row in rows if row["what"] == "run"] == ["h100:8", "h100:256"]
    assert {row["status"] for row in rows} == {"ok"}
    said = capsys.readouterr().out
    assert "| gru | 4 | 2 | 6 |" in said
    monkeypatch.setattr(benchmark_ahead, "compile_ahead", lambda *_: Refused("crash", too_large=False))
    call(benchmark_ahead, line)
    assert capsys.readouterr().out == said
    with pytest.raises(RunError, match="the compiler fails: crash"):
        call(benchmark_ahead, f"{line} 7")


def test_how_fast_batches_are_made_is_recorded(call, tmp_path, capsys):
    line = "--output out --dataset synthetic --seconds 0.1"
    for more in ("", "", "--batch-size 16"):
        call(benchmark_input, f"{line} {more}")
    rows = [json.loads(row) for row in (tmp_path / "out/input.jsonl").read_text().splitlines()]
    assert [row["config"]["batch_size"] for row in rows] == [128, 16]
    assert all(row["reviews_per_second"] > 0 for row in rows)
    assert re.search(r"synthetic: [\d,]+ reviews/s, in batches of 16", capsys.readouterr().out)
