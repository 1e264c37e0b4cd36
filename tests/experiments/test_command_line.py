"""Whatever a script prints to, it does its work: no encoding fails, and nobody needs to read it."""

import contextlib
import io
import json
import os
import subprocess
import sys

import pytest
from rich.console import Console

from experiments import command_line, imdb_sentiment
from experiments.presets import PRESETS
from experiments.training import read_options
from rnn_jax.settings import with_flat
from tests.training.runs import CONFIG, make_run


@pytest.fixture
def standard_output(monkeypatch):
    """Puts a stream in the place of the process's own standard output."""

    def put(descriptor, **settings):
        stream = io.TextIOWrapper(io.FileIO(descriptor, "w"), write_through=True, **settings)
        for name in ("stdout", "__stdout__"):
            monkeypatch.setattr(sys, name, stream)
        return stream

    return put


def exit_code(main, **settings):
    with pytest.raises(SystemExit) as end:
        command_line.run(main, **settings)
    return end.value.code


def train(workdir):
    """Trains a network that is quickly compiled, and shows it on standard output; returns the exit code."""
    config = with_flat(CONFIG, network="bag")
    return exit_code(lambda: make_run(workdir, config, console=Console()).train("command") and 0)


def test_training_goes_on_when_nobody_reads_any_more(tmp_path, standard_output):
    """As after `| head`."""
    ours, theirs = os.pipe()
    os.close(ours)
    with standard_output(theirs, encoding="utf-8"):
        assert train(tmp_path / "run") == 0
    assert json.loads((tmp_path / "run" / "result.json").read_text())["epochs_run"] == 2


def test_training_prints_to_a_stream_that_holds_ascii_alone(tmp_path, standard_output):
    with (tmp_path / "printed").open("w") as file, standard_output(os.dup(file.fileno()), encoding="ascii"):
        assert train(tmp_path / "run") == 0
    printed = (tmp_path / "printed").read_text(encoding="ascii")
    assert "epoch  2/2 \\xb7 loss" in printed


def test_a_script_that_only_prints_ends_with_its_reader(standard_output):
    ours, theirs = os.pipe()
    os.close(ours)
    reached = []

    def main():
        print("line")
        reached.append("further")

    with standard_output(theirs, encoding="utf-8"):
        assert exit_code(main, end_with_reader=True) == 0
        assert reached == []
        assert exit_code(main) == 0
        assert reached == ["further"]


def test_a_terminal_that_has_gone_ends_no_work(standard_output):
    theirs, ours = os.openpty()
    os.close(theirs)
    with standard_output(ours, encoding="utf-8"):
        assert exit_code(lambda: print("line")) == 0


@pytest.mark.parametrize("buffered", ["", "1"])
@pytest.mark.parametrize("end", [False, True])
def test_nothing_is_said_and_the_code_is_0_when_the_process_ends_without_a_reader(end, buffered):
    program = (
        "from experiments.command_line import run\n"
        f"run(lambda: print('a', 'few', 'words'), end_with_reader={end})\n"
    )
    ours, theirs = os.pipe()
    os.close(ours)
    environment = {**os.environ, "PYTHONUNBUFFERED": buffered}
    with contextlib.closing(os.fdopen(theirs, "w")) as gone:
        run = subprocess.run(
            [sys.executable, "-c", program],
            stdout=gone, stderr=subprocess.PIPE, text=True, check=False, env=environment,
        )  # fmt: skip
    assert (run.returncode, run.stderr) == (0, "")


def test_places_come_with_the_home_directory_spelt_out(monkeypatch):
    monkeypatch.setenv("HOME", "/home/me")
    monkeypatch.setattr(sys, "argv", ["imdb_sentiment", "--workdir=~/run", "--data-dir", "~/data"])
    options = read_options(imdb_sentiment.Options, PRESETS, "lstm")
    assert (options.workdir, options.data_dir) == ("/home/me/run", "/home/me/data")
    assert options.cache_dir is None
