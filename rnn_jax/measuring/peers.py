"""The same work by other libraries, with the same weights, on as many threads or on the same GPU."""

import importlib.util
import os
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from flax import nnx

from rnn_jax.cells.cell import Array
from rnn_jax.interchange.pytorch import to_pytorch
from rnn_jax.measuring.case import Case, Problem
from rnn_jax.measuring.program import Gradients, Program, compile_layer


def flax_program(case: Case, problem: Problem, num_devices: int) -> Program:
    """`flax.nnx.RNN`, a scan over one of its cells."""
    kinds: dict[str, Any] = {"elman": nnx.SimpleCell, "lstm": nnx.OptimizedLSTMCell, "gru": nnx.GRUCell}
    kind = jnp.bfloat16 if case.precision == "bfloat16" else jnp.float32
    cell = kinds[case.cell](case.hidden, case.hidden, dtype=kind, rngs=nnx.Rngs(0))
    cell.dense_i.kernel[...] = problem.params.input_kernel
    cell.dense_h.kernel[...] = problem.params.recurrent_kernel
    biased = cell.dense_i if cell.dense_h.bias is None else cell.dense_h
    biased.bias[...] = problem.params.bias
    rnn: Any = nnx.RNN(cell)
    graph, state = nnx.split(rnn)
    params, others = nnx.filter_state(state, nnx.Param, nnx.Not(nnx.Param))

    def layer(params: Any, x: Array) -> Array:
        zeros = jnp.zeros((len(x), case.hidden))  # or nnx.RNN would draw a state
        carry = (zeros, zeros) if case.cell == "lstm" else zeros
        return nnx.merge(graph, params, others)(x, initial_carry=carry)

    def matrices(gradients: Any) -> Gradients:
        inner = gradients["cell"]
        return {
            "input_kernel": inner["dense_i"]["kernel"][...],
            "recurrent_kernel": inner["dense_h"]["kernel"][...],
        }

    return compile_layer(layer, params, case, problem, num_devices, matrices)


def keras_program(case: Case, problem: Problem, num_devices: int) -> Program:
    """A layer of Keras, on its JAX back end."""
    os.environ["KERAS_BACKEND"] = "jax"
    import keras

    kind = {"elman": keras.layers.SimpleRNN, "lstm": keras.layers.LSTM, "gru": keras.layers.GRU}[case.cell]
    policy = "mixed_bfloat16" if case.precision == "bfloat16" else "float32"
    recurrent = kind(case.hidden, return_sequences=True, dtype=policy)
    recurrent.build((case.batch, case.time, case.hidden))
    params = problem.params
    order = [1, 0, 2] if case.cell == "gru" else None  # Keras has z, r, n

    def reorder(packed: Array) -> Array:
        if order is None:
            return packed
        return jnp.concatenate([jnp.split(packed, 3, axis=-1)[gate] for gate in order], axis=-1)

    bias = reorder(params.bias)
    if case.cell == "gru":
        bias = jnp.stack([bias, jnp.pad(params.candidate_bias, (2 * case.hidden, 0))])
    others = [variable.value for variable in recurrent.non_trainable_variables]
    start = [reorder(params.input_kernel), reorder(params.recurrent_kernel), bias]

    def layer(weights: Any, x: Array) -> Array:
        return recurrent.stateless_call(weights, others, x)[0]

    def matrices(gradients: Any) -> Gradients:
        return {"input_kernel": reorder(gradients[0]), "recurrent_kernel": reorder(gradients[1])}

    return compile_layer(layer, start, case, problem, num_devices, matrices)


def torch_program(case: Case, problem: Problem, num_devices: int) -> Program:
    """`torch.nn.LSTM`, `GRU` or `RNN`: cuDNN on a GPU, and as many threads as we have devices on a CPU."""
    import torch

    device = "cuda" if jax.default_backend() == "gpu" else "cpu"
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = (
        case.precision == "tensorfloat32"
    )
    torch.set_num_threads(num_devices)
    make = {"elman": torch.nn.RNN, "lstm": torch.nn.LSTM, "gru": torch.nn.GRU}[case.cell]
    layer = make(case.hidden, case.hidden, batch_first=True, bidirectional=case.directions == 2)
    state = to_pytorch(case.cell, (problem.params,))
    layer.load_state_dict({name: torch.tensor(each) for name, each in state.items()})
    kind = torch.bfloat16 if case.precision == "bfloat16" else torch.float32
    layer = layer.to(device, kind)
    x = torch.tensor(problem.x, device=device, dtype=kind, requires_grad=case.mode == "training")
    weights = torch.tensor(problem.weights, device=device, dtype=kind)

    def run() -> Any:
        if case.mode == "training":
            layer.zero_grad(set_to_none=True)
            x.grad = None
            outputs = layer(x)[0]
            (outputs * weights).sum().backward()
        else:
            with torch.no_grad():
                outputs = layer(x)[0]
        if device == "cuda":
            torch.cuda.synchronize()
        return outputs

    def results() -> Gradients:
        outputs = run()
        if case.mode == "forward":
            return {"outputs": outputs.float().cpu().numpy()}
        gradient = lambda tensor: tensor.grad.float().cpu().numpy()  # noqa: E731
        found = {"x": gradient(x)}
        for half in ("", "_reverse")[: case.directions]:
            found["input_kernel" + half] = gradient(getattr(layer, f"weight_ih_l0{half}")).T
            found["recurrent_kernel" + half] = gradient(getattr(layer, f"weight_hh_l0{half}")).T
        return found

    return Program(run, results, None, None)


PEERS: dict[str, Callable[[Case, Problem, int], Program]] = {
    "flax": flax_program,
    "torch": torch_program,
    "keras": keras_program,
}
PEER_CELLS = ("elman", "lstm", "gru")
BOTH = ("torch",)  # peers whose layers of both directions are measured


def is_installed(peer: str) -> bool:
    """Whether a peer can be imported."""
    return importlib.util.find_spec(peer) is not None
