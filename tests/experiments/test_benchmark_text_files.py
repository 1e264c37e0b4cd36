"""Files of texts are encoded and classified, and what that takes is recorded."""

import json

import pytest

from experiments import benchmark_text_files


@pytest.mark.slow
def test_it_leaves_a_record_a_measurement_and_a_table(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(
        "sys.argv", ["x.py", "--output", str(tmp_path / "out"), "--rows", "300", "--classified", "200"]
    )
    assert benchmark_text_files.main() == 0
    rows = [json.loads(line) for line in (tmp_path / "out/text_files.jsonl").read_text().splitlines()]
    found = [(row["what"], row["library"], row["rows"]) for row in rows]
    assert found == [
        ("encode", "rnn_jax", 300),
        ("classify", "rnn_jax", 200),
        ("classify", "scikit-learn", 200),
    ]
    assert rows[0]["peak_bytes"] > 10**7
    assert all(row["seconds"] > 0 and row["versions"]["scikit-learn"] for row in rows)
    table = (tmp_path / "out/text_files.md").read_text()
    assert table in capsys.readouterr().out
    assert "| encode | rnn_jax | 300 |" in table
