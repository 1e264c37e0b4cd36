"""The LSTM with a projection against PyTorch's, with the same weights."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from rnn_jax.cells import CELLS
from rnn_jax.cells.projected_lstm import ProjectedLSTMParams
from rnn_jax.unroll import dynamic

B, T, D, M, H = 3, 6, 4, 10, 5


@pytest.mark.filterwarnings("ignore:LSTM with projections is not supported with oneDNN")
def test_it_is_that_of_pytorch_in_values_and_gradients(rng):
    torch = pytest.importorskip("torch")
    theirs = torch.nn.LSTM(D, M, proj_size=H, batch_first=True)
    weights = {name: np.asarray(value.detach()) for name, value in theirs.named_parameters()}
    params = ProjectedLSTMParams(
        jnp.asarray(weights["weight_ih_l0"].T),
        jnp.asarray(weights["weight_hh_l0"].T),
        jnp.asarray(weights["bias_ih_l0"] + weights["bias_hh_l0"]),
        jnp.asarray(weights["weight_hr_l0"].T),
    )
    x = rng.normal(size=(B, T, D)).astype(np.float32)
    expected, (hidden, memory) = theirs(torch.tensor(x))
    outputs, state = dynamic(CELLS["projected_lstm"], params, x)
    np.testing.assert_allclose(outputs, expected.detach(), atol=1e-6)
    np.testing.assert_allclose(state.hidden, hidden[0].detach(), atol=1e-6)
    np.testing.assert_allclose(state.cell, memory[0].detach(), atol=1e-6)
    (expected**2).sum().backward()
    found = jax.grad(lambda p: (dynamic(CELLS["projected_lstm"], p, x).outputs ** 2).sum())(params)
    np.testing.assert_allclose(found.projection, theirs.weight_hr_l0.grad.T, atol=1e-5)
    np.testing.assert_allclose(found.recurrent_kernel, theirs.weight_hh_l0.grad.T, atol=1e-5)
    np.testing.assert_allclose(found.input_kernel, theirs.weight_ih_l0.grad.T, atol=1e-5)
