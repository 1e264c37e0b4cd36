"""Cells against PyTorch and Flax with the same weights: values and gradients."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from rnn_jax.cells import CELLS
from rnn_jax.cells.lstm import LSTMParams
from rnn_jax.interchange.pytorch import to_pytorch
from rnn_jax.unroll import dynamic

pytestmark = pytest.mark.slow

B, T, D, H = 3, 6, 4, 5


@pytest.fixture
def x(rng):
    return rng.normal(size=(B, T, D)).astype(np.float32)


def make_params(name, rng):
    params = CELLS[name].init(jax.random.key(0), D, H)
    return jax.tree.map(lambda p: p + rng.normal(0, 0.3, p.shape).astype(np.float32), params)


def close(ours, theirs):
    np.testing.assert_allclose(np.asarray(ours), np.asarray(theirs), atol=2e-5, rtol=2e-5)


def torch_layer(torch, name, params):
    """The layer of torch with our weights."""
    make = {"lstm": torch.nn.LSTM, "gru": torch.nn.GRU, "elman": torch.nn.RNN, "elman_relu": torch.nn.RNN}[
        name
    ]
    options = {"nonlinearity": "relu"} if name == "elman_relu" else {}
    layer = make(D, H, batch_first=True, **options)
    state = to_pytorch(name, (params,))
    layer.load_state_dict({name: torch.tensor(each) for name, each in state.items()})
    return layer


@pytest.mark.parametrize("name", ["elman", "elman_relu", "lstm", "gru"])
def test_torch_has_the_same_values_and_gradients(name, x, rng):
    torch = pytest.importorskip("torch", reason="compares with PyTorch: pip install torch")
    params = make_params(name, rng)
    weights = rng.normal(size=(B, T, H)).astype(np.float32)

    def loss(params, x):
        return (dynamic(CELLS[name], params, x).outputs * weights).sum()

    value, (gradients, input_gradient) = jax.value_and_grad(loss, argnums=(0, 1))(params, x)
    layer = torch_layer(torch, name, params)
    inputs = torch.tensor(x, requires_grad=True)
    outputs, final = layer(inputs)
    (outputs * torch.tensor(weights)).sum().backward()

    ours = dynamic(CELLS[name], params, x)
    close(ours.outputs, outputs.detach())
    for state, theirs in zip(ours.state, final if name == "lstm" else (final,), strict=True):
        close(state, theirs.detach()[0])
    close(value, (outputs.detach().numpy() * weights).sum())
    close(input_gradient, inputs.grad)
    close(gradients.input_kernel, layer.weight_ih_l0.grad.T)
    close(gradients.recurrent_kernel, layer.weight_hh_l0.grad.T)
    close(gradients.bias, layer.bias_ih_l0.grad)
    if name == "gru":
        close(gradients.candidate_bias, layer.bias_hh_l0.grad[2 * H :])


@pytest.mark.parametrize("name", ["coupled_lstm", "peephole_lstm"])
def test_relatives_of_the_lstm_are_its_special_cases_in_torch(name, x, rng):
    """An input gate of 1 - f is σ(-a_f); and peepholes of zero are none."""
    torch = pytest.importorskip("torch", reason="compares with PyTorch: pip install torch")
    params = make_params(name, rng)
    if name == "coupled_lstm":
        lstm = LSTMParams(*(jnp.concatenate([-w[..., :H], w], axis=-1) for w in params))
    else:
        params = params._replace(peepholes=jnp.zeros(3 * H))
        lstm = LSTMParams(*params[:3])
    weights = rng.normal(size=(B, T, H)).astype(np.float32)
    inputs = torch.tensor(x, requires_grad=True)
    outputs, _ = torch_layer(torch, "lstm", lstm)(inputs)
    (outputs * torch.tensor(weights)).sum().backward()
    close(dynamic(CELLS[name], params, x).outputs, outputs.detach())
    ours = jax.grad(lambda x: (dynamic(CELLS[name], params, x).outputs * weights).sum())(x)
    close(ours, inputs.grad)


@pytest.mark.parametrize("lengths", [[6, 1, 4]])
def test_torch_packs_what_we_mask(lengths, x, rng):
    torch = pytest.importorskip("torch", reason="compares with PyTorch: pip install torch")
    params = make_params("lstm", rng)
    packed = torch.nn.utils.rnn.pack_padded_sequence(
        torch.tensor(x), lengths, batch_first=True, enforce_sorted=False
    )
    with torch.no_grad():
        outputs, (hidden, memory) = torch_layer(torch, "lstm", params)(packed)
    outputs, _ = torch.nn.utils.rnn.pad_packed_sequence(outputs, batch_first=True)
    ours = dynamic(CELLS["lstm"], params, x, jnp.array(lengths))
    close(ours.outputs, outputs)
    close(ours.state.hidden, hidden[0])
    close(ours.state.cell, memory[0])


def flax_cell(name, params):
    """The cell of Flax with our weights, and the order of its carry."""
    rngs = nnx.Rngs(0)
    if name == "elman":
        cell = nnx.SimpleCell(D, H, rngs=rngs)
    elif name == "lstm":
        cell = nnx.OptimizedLSTMCell(D, H, rngs=rngs)
    else:
        cell = nnx.GRUCell(D, H, rngs=rngs)
    cell.dense_i.kernel[...] = params.input_kernel
    cell.dense_h.kernel[...] = params.recurrent_kernel
    (cell.dense_h if cell.dense_h.bias is not None else cell.dense_i).bias[...] = params.bias
    return cell


@pytest.mark.parametrize("name", ["elman", "lstm", "gru"])
def test_flax_has_the_same_values_and_gradients(name, x, rng):
    params = make_params(name, rng)
    if name == "gru":  # Flax has no bias within the reset
        params = params._replace(candidate_bias=jnp.zeros(H))
    layer = nnx.RNN(flax_cell(name, params))
    close(dynamic(CELLS[name], params, x).outputs, layer(x))

    theirs = nnx.grad(lambda layer: (layer(x) ** 2).sum())(layer)
    ours = jax.grad(lambda p: (dynamic(CELLS[name], p, x).outputs ** 2).sum())(params)
    close(ours.input_kernel, theirs["cell"]["dense_i"]["kernel"][...])
    close(ours.recurrent_kernel, theirs["cell"]["dense_h"]["kernel"][...])
