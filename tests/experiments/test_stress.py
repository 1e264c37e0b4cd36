"""A small campaign; the large one is `make stress`."""

import json
import sys

import pytest

from experiments import stress
from rnn_jax.stress import ends
from tests.training.runs import make_run


def call(monkeypatch, tmp_path, *arguments):
    small = "--train-examples 240 --max-length 40 --buckets 1 --hidden-size 4 --embedding-size 4 --epochs 2"
    monkeypatch.setattr(stress, "SETTINGS", f"{small} --batch-size 20 --save-every 2 --log-every 5")
    monkeypatch.setattr(sys, "argv", ["stress", "--output", str(tmp_path / "stress"), *arguments])
    return stress.main()


@pytest.mark.slow
def test_a_small_campaign_finds_nothing_changed(monkeypatch, tmp_path, capsys):
    options = "--kills 2 --kills-of-a-run 2 --damages 6 --resumed 1 --seed 3"
    assert call(monkeypatch, tmp_path, *options.split()) == 0
    rows = [json.loads(line) for line in (tmp_path / "stress" / "stress.jsonl").read_text().splitlines()]
    kills, damages = ([row for row in rows if row["kind"] == kind] for kind in ("kill", "damage"))
    assert len(kills) == 2
    assert len(damages) == 6
    assert all(row["found"] for row in damages)
    assert [row["differences"] for row in rows if "differences" in row] == [[], [], []]
    assert "| a file of the newest checkpoint bit flipped | 1 | 1 | 1 | 1 |" in capsys.readouterr().out
    assert [path.name for path in (tmp_path / "stress").iterdir()] == ["stress.jsonl"]


@pytest.mark.slow
def test_a_difference_is_told(monkeypatch, tmp_path, capsys):
    """A run that ends otherwise makes the campaign fail."""
    numbers = iter(range(99))
    monkeypatch.setattr(stress, "end_of", lambda workdir: ends.end_of(workdir) | {"odd": next(numbers)})
    assert call(monkeypatch, tmp_path, *["--kills", "0", "--damages", "1", "--resumed", "1"]) == 1
    assert "| a file of the newest checkpoint bit flipped | 1 | 1 | 1 | 0 |" in capsys.readouterr().out


def test_an_end_is_all_that_a_run_leaves(tmp_path):
    make_run(tmp_path).train("command")
    before = ends.end_of(tmp_path)
    assert ends.differences(ends.end_of(tmp_path), before) == []
    for name, old, new, differing in (
        ("result.json", '"best_epoch": ', '"best_epoch": 1', ["result"]),
        ("metrics.jsonl", '"loss": 0.', '"loss": 1.', ["log", "result"]),
    ):
        text = (tmp_path / name).read_text()
        (tmp_path / name).write_text(text.replace(old, new))
        assert ends.differences(ends.end_of(tmp_path), before) == differing
