"""The tour: what it runs, and the page that it ends with."""

import re
import shlex
import sys

import pytest

from experiments import tour
from tests.reporting.recorded import write_run
from tests.reporting.test_tour import WRITTEN, tour_run, written_run


@pytest.fixture
def call(monkeypatch, tmp_path):
    """Calls the script; runs leave made-up results."""
    ran = []

    def run_all(lines):
        for line in lines:
            script, workdir = re.match(r"python -m experiments\.(\S+) --workdir (\S+)", line).groups()
            if script == "spoken_digits":
                return 143
            ran.append(line)
            folder = tmp_path / "out" / workdir.rsplit("/", 1)[-1]
            if script in WRITTEN:
                write_run(folder, written_run(script, script, 0, WRITTEN[script]))
            else:
                write_run(folder, tour_run(script, script, 0, 0.9))
            (folder / "answers.png").write_bytes(b"picture")
        return 0

    def call(line):
        monkeypatch.setattr(sys, "argv", ["experiments/tour.py", *shlex.split(line)])
        return tour.main(), ran

    monkeypatch.setattr(tour, "run_all", run_all)
    return call


def test_it_ends_with_a_page(call, tmp_path, capsys):
    out = tmp_path / "out"
    code, ran = call(f"--output {out} --only digits promoters --data-dir /data")
    assert code == 0
    assert ran == [
        f"python -m experiments.{name} --workdir {out}/{name} --data-dir /data"
        for name in ("digits", "promoters")
    ]
    page = (out / "index.html").read_text()
    assert page.count("<h2>") == page.count("<img") == 2
    assert "accuracy 90.00%, sensitivity 0.900" in page
    assert f"1 of 2: {tour.LEGS['digits'].title}" in capsys.readouterr().out


def test_what_is_written_has_its_own_words(call, tmp_path):
    assert call(f"--output {tmp_path}/out --only handwriting translation captioning")[0] == 0
    page = (tmp_path / "out/index.html").read_text()
    for words in (
        "5.00 nats a point",
        "BLEU 41.0, where the translation of the most similar training sentence has 10.5",
        "BLEU-4 12.0, where captions drawn at random have 2.0",
    ):
        assert words in page


def test_it_stops_where_a_run_stops(call, tmp_path):
    code, ran = call(f"--output {tmp_path}/out")
    assert code == 143
    assert len(ran) == 1
    assert not (tmp_path / "out/index.html").exists()
