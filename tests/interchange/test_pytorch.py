"""Weights from PyTorch and to it: outputs, states and gradients of the installed library."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from rnn_jax.cells import CELLS
from rnn_jax.errors import UserError
from rnn_jax.interchange.pytorch import from_pytorch, to_pytorch
from rnn_jax.unroll import Directions, dynamic, init_layers, map_layers, run_layers

B, T, D, H = 2, 5, 3, 4
KINDS = {"lstm": "LSTM", "gru": "GRU", "elman": "RNN", "elman_relu": "RNN"}


@pytest.fixture
def torch():
    return pytest.importorskip("torch", reason="compares with PyTorch: pip install torch")


def module(torch, cell, **options):
    nonlinearity = {"nonlinearity": "relu"} if cell == "elman_relu" else {}
    torch.manual_seed(0)
    return getattr(torch.nn, KINDS[cell])(D, H, batch_first=True, **nonlinearity, **options)


def arrays(state):
    return {name: each.detach().numpy() for name, each in state.items()}


def stacked(states):
    """What each layer and direction remembers, in torch's order: arrays `[layers x directions, B, H]`."""
    halves = [half for layer in states for half in (layer if isinstance(layer, Directions) else (layer,))]
    return [np.stack(each) for each in zip(*halves, strict=True)]


def close(ours, theirs):
    np.testing.assert_allclose(np.asarray(ours), np.asarray(theirs), atol=2e-5, rtol=2e-5)


@pytest.mark.parametrize("cell", KINDS)
@pytest.mark.parametrize(
    "options", [{}, {"num_layers": 2, "bidirectional": True}, {"num_layers": 2, "bias": False}], ids=str
)
def test_the_same_outputs_states_and_gradients(cell, options, torch, rng):
    theirs = module(torch, cell, **options)
    x = rng.normal(size=(B, T, D)).astype(np.float32)
    found, params = from_pytorch(arrays(theirs.state_dict()), relu=cell == "elman_relu")
    assert found == cell
    inputs = torch.tensor(x, requires_grad=True)
    outputs, states = theirs(inputs)
    weights = rng.normal(size=outputs.shape).astype(np.float32)
    (outputs * torch.tensor(weights)).sum().backward()

    @jax.jit
    def loss(params, x):
        ours = run_layers(dynamic, CELLS[cell], params, x)
        return (ours.outputs * weights).sum(), ours

    (by_params, by_x), ours = jax.grad(loss, (0, 1), has_aux=True)(params, x)
    close(ours.outputs, outputs.detach())
    for mine, last in zip(stacked(ours.state), states if cell == "lstm" else (states,), strict=True):
        close(mine, last.detach())
    close(by_x, inputs.grad)
    gradients = to_pytorch(cell, by_params)
    for name, parameter in theirs.named_parameters():
        if "bias_hh" not in name:
            close(gradients[name], parameter.grad)
        elif cell == "gru":  # elsewhere, of the two biases that act alike, ours has the gradient of the first
            close(gradients[name][-H:], parameter.grad[-H:])


@pytest.mark.parametrize("cell", KINDS)
@pytest.mark.parametrize("bidirectional", [False, True])
def test_there_and_back(cell, bidirectional, torch, rng):
    """Layers of ours, in a module of torch, give what they give here; and come back as they were."""
    params = init_layers(CELLS[cell], jax.random.key(0), D, H, 2, bidirectional)
    noise = lambda p: p + 0.3 * rng.normal(size=p.shape).astype(np.float32)  # noqa: E731
    params = map_layers(lambda _, own: jax.tree.map(noise, own), params)
    theirs = module(torch, cell, num_layers=2, bidirectional=bidirectional)
    state = to_pytorch(cell, params)
    theirs.load_state_dict({name: torch.tensor(each) for name, each in state.items()})
    x = rng.normal(size=(B, T, D)).astype(np.float32)
    with torch.no_grad():
        close(run_layers(dynamic, CELLS[cell], params, x).outputs, theirs(torch.tensor(x))[0])
    back = from_pytorch(state, relu=cell == "elman_relu")
    assert back.cell == cell
    jax.tree.map(np.testing.assert_array_equal, back.params, params)


def test_a_part_of_a_larger_module(torch):
    model = torch.nn.ModuleDict({"rnn": module(torch, "gru"), "head": torch.nn.Linear(H, 1)})
    state = arrays(model.state_dict())
    cell, (params,) = from_pytorch(state, "rnn.")
    assert cell == "gru"
    close(params.input_kernel.T, state["rnn.weight_ih_l0"])
    again = to_pytorch(cell, (params,), "rnn.")
    assert set(again) == {name for name in state if name.startswith("rnn.")}
    with pytest.raises(UserError, match=r"no weight_ih_l0 behind the prefix '': the names are head\.bias, "):
        from_pytorch(state)


def lstm_state():
    return to_pytorch("lstm", init_layers(CELLS["lstm"], jax.random.key(0), D, H, 2))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s: s.clear(), "no weight_ih_l0 behind the prefix '': the names are none"),
        (lambda s: s.pop("weight_hh_l0"), "weight_ih_l0 and weight_hh_l0 must both be there"),
        (lambda s: s.pop("bias_hh_l1"), r"bias_hh_l1 is missing: expected \[16\]"),
        (
            lambda s: s.update(weight_ih_l1=np.zeros((16, 3))),
            r"weight_ih_l1 is \[16, 3\]: expected \[16, 4\]",
        ),
        (lambda s: s.update(weight_hh_l0=np.zeros((14, 4))), r"is \[14, 4\]: expected \[gates x H, H\]"),
        (lambda s: s.update(weight_hh_l0=np.zeros((8, 4))), "has 2 gates: an LSTM has 4, a GRU 3, an RNN 1"),
        (lambda s: s.update(weight_hr_l0=np.zeros((2, 4))), r"weight_hr_l0: an LSTM with projections"),
        (lambda s: s.update(weight_ih_l3=np.zeros((16, 4))), "weight_ih_l2 is missing"),
    ],
)
def test_what_does_not_fit_is_named(change, message):
    state = lstm_state()
    change(state)
    with pytest.raises(UserError, match=message):
        from_pytorch(state)


def test_what_has_no_equal_is_refused():
    with pytest.raises(UserError, match="only an RNN has a nonlinearity to choose, and this is lstm"):
        from_pytorch(lstm_state(), relu=True)
    with pytest.raises(UserError, match="torch has no mgu: lstm, gru, elman, elman_relu can be written"):
        to_pytorch("mgu", init_layers(CELLS["mgu"], jax.random.key(0), D, H))


def test_arrays_keep_their_type():
    state = {name: each.astype(np.float16) for name, each in lstm_state().items()}
    _, params = from_pytorch(state)
    assert {each.dtype for each in jax.tree.leaves(params)} == {jnp.dtype(jnp.float16)}
    assert {each.dtype for each in to_pytorch("lstm", params).values()} == {np.dtype(np.float16)}
