import jax
import numpy as np
import pytest

from rnn_jax.cells import CELLS
from rnn_jax.errors import UserError
from rnn_jax.unroll import dynamic
from rnn_jax.unroll.gates import gates_over_time

T, D, H = 9, 3, 4


@pytest.fixture
def make(rng):
    def of(name):
        params = CELLS[name].init(jax.random.key(1), D, H)
        x = rng.normal(size=(T, D)).astype(np.float32)
        outputs = np.asarray(dynamic(CELLS[name], params, x[None]).outputs[0])
        return gates_over_time(CELLS[name], params, x), outputs

    return of


def test_an_lstm_is_made_of_its_gates(make):
    """The equations of its docstring give the outputs."""
    gates, outputs = make("lstm")
    assert list(gates) == ["input gate", "forget gate", "candidate", "output gate"]
    memory = np.zeros(H)
    for i, f, g, o, h in zip(*gates.values(), outputs, strict=True):
        memory = f * memory + i * g
        np.testing.assert_allclose(o * np.tanh(memory), h, atol=1e-6)


def test_a_coupled_lstm_is_made_of_its_gates(make):
    gates, outputs = make("coupled_lstm")
    memory = np.zeros(H)
    for f, g, o, h in zip(*gates.values(), outputs, strict=True):
        memory = f * memory + (1 - f) * g
        np.testing.assert_allclose(o * np.tanh(memory), h, atol=1e-6)


def test_a_gru_is_made_of_its_gates(make):
    gates, outputs = make("gru")
    hidden = np.zeros(H)
    for _, z, n, h in zip(*gates.values(), outputs, strict=True):
        hidden = z * hidden + (1 - z) * n
        np.testing.assert_allclose(hidden, h, atol=1e-6)


@pytest.mark.parametrize("name", ["elman", "qrnn"])
def test_other_cells_say_which_have_gates(name, make):
    with pytest.raises(UserError, match="not known: train one of lstm, coupled_lstm, gru"):
        make(name)
