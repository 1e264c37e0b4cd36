import json
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from experiments import memory
from rnn_jax.cells import CELLS
from rnn_jax.measuring.memory import gradient_norms
from rnn_jax.reporting import memory_plots
from rnn_jax.reporting.memory import load_memory
from rnn_jax.unroll import dynamic

pytestmark = pytest.mark.slow


def test_gradient_norms_are_finite_differences(rng):
    """∂ (r · h_T) / ∂ x_t, feature by feature, the last step first."""
    cell, x = CELLS["lstm"], rng.normal(size=(1, 5, 2)).astype(np.float64)
    params = jax.tree.map(lambda p: 2 * p, cell.init(jax.random.key(0), 2, 3))
    found = gradient_norms(cell, params, jnp.asarray(x, jnp.float32))
    direction = jax.random.normal(jax.random.key(0), (3,))
    direction /= jnp.linalg.norm(direction)

    def last(x):
        return float(dynamic(cell, params, jnp.asarray(x, jnp.float32)).outputs[0, -1] @ direction)

    for t in range(5):
        slopes = []
        for feature in range(2):
            step = np.zeros_like(x)
            step[0, t, feature] = 1e-2
            slopes.append((last(x + step) - last(x - step)) / 2e-2)
        assert float(found[4 - t]) == pytest.approx(np.linalg.norm(slopes), rel=0.02, abs=1e-4)


def test_cases_are_learnt_recorded_and_not_learnt_again(tmp_path, monkeypatch, capsys):
    """A short copying task, of which a linear cell learns much in a hundred steps, and an Elman one less."""
    settings = ["--tasks", "copying", "--lengths", "3", "--seeds", "0", "--steps", "100"]
    arguments = ["--cells", "lru", "elman", *settings]
    monkeypatch.setattr(sys, "argv", ["memory", "--output", str(tmp_path), *arguments])
    memory.main()
    first = (tmp_path / "memory.jsonl").read_text()
    rows = load_memory(tmp_path / "memory.jsonl")
    assert rows[0]["score"] > rows[1]["score"] + 0.1
    assert rows[0]["losses"][0] < np.log(8)
    before, after = (rows[0]["gradient_norms"][when] for when in ("before", "after"))
    assert before["distance"][:3] == after["distance"][:3] == [0, 1, 2]
    assert before["norm"] != after["norm"]
    assert "| copying | lru |" in capsys.readouterr().out
    memory.main()
    assert (tmp_path / "memory.jsonl").read_text() == first

    more = [row | {"task": "adding", "length": 9, "seed": 1} for row in rows]
    (tmp_path / "memory.jsonl").write_text(first + "".join(json.dumps(row) + "\n" for row in more))
    for name, picture in memory_plots.pictures(load_memory(tmp_path / "memory.jsonl"), "cpu").items():
        picture.save(tmp_path / name)
        assert picture.is_in(tmp_path / name)
