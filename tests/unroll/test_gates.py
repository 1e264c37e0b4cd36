"""Gates over a sequence: with the equations of the papers, they give the cell's outputs."""

import jax
import numpy as np
import pytest
from flax import nnx

from rnn_jax.cells import CELLS
from rnn_jax.cells.noise import ZoneoutParams, zoneout
from rnn_jax.errors import UserError
from rnn_jax.models import Recurrent, RecurrentSettings
from rnn_jax.unroll import dynamic
from rnn_jax.unroll.gates import GATED, gates_over_time

T, D, H = 9, 3, 4


@pytest.fixture
def x(rng):
    return rng.normal(size=(T, D)).astype(np.float32)


def make_params(name, rng):
    params = CELLS[name].init(jax.random.key(1), D, H)
    return jax.tree.map(lambda p: p + rng.normal(0, 0.3, p.shape).astype(np.float32), params)


def lstm(gates, _, __):
    c = np.zeros(H)
    for i, f, g, o in zip(*gates.values(), strict=True):
        c = f * c + i * g
        yield o * np.tanh(c)


def coupled_lstm(gates, _, __):
    c = np.zeros(H)
    for f, g, o in zip(*gates.values(), strict=True):
        c = f * c + (1 - f) * g
        yield o * np.tanh(c)


def layer_norm_lstm(gates, params, _):
    c = np.zeros(H)
    for i, f, g, o in zip(*gates.values(), strict=True):
        c = f * c + i * g
        normal = (c - c.mean()) / np.sqrt(c.var() + 1e-5)
        yield o * np.tanh(params.cell_scale * normal + params.cell_bias)


def gru(gates, _, __):
    h = np.zeros(H)
    for _, z, n in zip(*gates.values(), strict=True):
        h = z * h + (1 - z) * n
        yield h


def mgu(gates, _, __):
    h = np.zeros(H)
    for f, n in zip(*gates.values(), strict=True):
        h = (1 - f) * h + f * n
        yield h


def qrnn(gates, _, __):
    c = np.zeros(H)
    for f, n, o in zip(*gates.values(), strict=True):
        c = f * c + (1 - f) * n
        yield o * c


def sru(gates, params, x):
    c = np.zeros(H)
    for f, r, n, x_t in zip(*gates.values(), x @ params.input_kernel[:, 3 * H :], strict=True):
        c = f * c + (1 - f) * n
        yield r * c + (1 - r) * np.sqrt(3) * x_t


def sru_v1(gates, params, x):
    c = np.zeros(H)
    for f, r, n, x_t in zip(*gates.values(), x @ params.input_kernel[:, 3 * H :], strict=True):
        c = f * c + (1 - f) * n
        yield r * np.tanh(c) + (1 - r) * x_t


def minlstm(gates, _, __):
    h = np.zeros(H)
    for f, i, n in zip(*gates.values(), strict=True):
        h = (f * h + i * n) / (f + i)
        yield h


def rg_lru(gates, params, x):
    h = np.zeros(H)
    a = 1 / (1 + np.exp(-np.asarray(params.decay, float)))
    for r, i, x_t in zip(*gates.values(), x @ params.input_kernel[:, 2 * H :], strict=True):
        h = a ** (8 * r) * h + np.sqrt(1 - a ** (16 * r)) * i * x_t
        yield h


def slstm(gates, _, __):
    """c / n moves to the candidate by the input gate's share of the normaliser."""
    shown = np.zeros(H)
    for i, _, g, o in zip(*gates.values(), strict=True):
        shown = (1 - i) * shown + i * g
        yield o * shown


EQUATIONS = {
    **{"lstm": lstm, "peephole_lstm": lstm, "coupled_lstm": coupled_lstm, "layer_norm_lstm": layer_norm_lstm},
    **{"gru": gru, "gru_v3": gru, "mgu": mgu, "qrnn": qrnn, "sru": sru, "sru_v1": sru_v1},
    **{"mingru": mgu, "minlstm": minlstm, "rg_lru": rg_lru, "slstm": slstm},
}


@pytest.mark.parametrize("name", GATED)
def test_a_cell_is_made_of_its_gates(name, x, rng):
    params = make_params(name, rng)
    gates = gates_over_time(CELLS[name], params, x)
    for gate, values in gates.items():
        assert values.shape == (T, H)
        first = name == "slstm" and gate == "input gate"  # whose first share is all of it
        assert gate == "candidate" or ((values > 0) & ((values < 1) | first)).all()
    expected = dynamic(CELLS[name], params, x[None]).outputs[0]
    np.testing.assert_allclose(list(EQUATIONS[name](gates, params, x)), expected, atol=1e-5)


def test_the_first_gates_of_an_lstm_are_those_of_its_first_input(x, rng):
    """And not of the step before or after; the order of the gates is that of the equations."""
    params = make_params("lstm", rng)
    gates = gates_over_time(CELLS["lstm"], params, x)
    assert list(gates) == ["input gate", "forget gate", "candidate", "output gate"]
    first = x[0] @ params.input_kernel[:, :H] + params.bias[:H]
    np.testing.assert_allclose(gates["input gate"][0], 1 / (1 + np.exp(-first)), atol=1e-6)


def test_gates_of_a_network_trained_with_zoneout_are_those_it_uses(x, rng):
    settings = RecurrentSettings(cell="gru", hidden_size=H, bidirectional=True, zoneout=0.4)
    layers = Recurrent(settings, D, nnx.Rngs(0))
    params = layers.params()
    zoned = ZoneoutParams(params[0].forward, 0.4, None)
    outputs = np.asarray(dynamic(zoneout(CELLS["gru"]), zoned, x[None]).outputs[0])
    h = np.zeros(H)
    for _, z, n, expected in zip(*layers.gates(x).values(), outputs, strict=True):
        h = 0.4 * h + 0.6 * (z * h + (1 - z) * n)
        np.testing.assert_allclose(h, expected, atol=1e-6)


@pytest.mark.parametrize("name", sorted(set(CELLS) - set(GATED)))
def test_cells_without_gates_are_refused(name, x, rng):
    with pytest.raises(UserError, match="has no gates: train one of lstm, peephole_lstm"):
        gates_over_time(CELLS[name], make_params(name, rng), x)
