"""Cells as NumPy loops in float64, written from the equations of the papers, one gate a line.

They share nothing with `rnn_jax`: parameters arrive as plain arrays, gates packed as documented there.
"""

import numpy as np


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


def elman(params, h, x):
    """Elman (1990) with tanh: h = tanh(x W + h U + b)."""
    return np.tanh(x @ params["input_kernel"] + h @ params["recurrent_kernel"] + params["bias"])


def elman_relu(params, h, x):
    """Le, Jaitly and Hinton (2015): h = max(0, x W + h U + b)."""
    return np.maximum(0, x @ params["input_kernel"] + h @ params["recurrent_kernel"] + params["bias"])


def _gate(params, name, n, H):
    return params[name][..., n * H : (n + 1) * H]


def lstm(params, state, x):
    """Hochreiter and Schmidhuber (1997) with the forget gate of Gers et al. (2000); gates i, f, g, o."""
    h, c = state
    H = h.shape[-1]
    pre = [
        x @ _gate(params, "input_kernel", n, H)
        + h @ _gate(params, "recurrent_kernel", n, H)
        + _gate(params, "bias", n, H)
        for n in range(4)
    ]
    i, f, g, o = sigmoid(pre[0]), sigmoid(pre[1]), np.tanh(pre[2]), sigmoid(pre[3])
    c = f * c + i * g
    return o * np.tanh(c), c


def gru(params, h, x):
    """Reset after the product (Cho et al., 2014, first version; cuDNN); gates r, z, n."""
    H = h.shape[-1]
    x_part = [x @ _gate(params, "input_kernel", n, H) + _gate(params, "bias", n, H) for n in range(3)]
    h_part = [h @ _gate(params, "recurrent_kernel", n, H) for n in range(3)]
    r = sigmoid(x_part[0] + h_part[0])
    z = sigmoid(x_part[1] + h_part[1])
    n = np.tanh(x_part[2] + r * (h_part[2] + params["candidate_bias"]))
    return z * h + (1 - z) * n


def gru_v3(params, h, x):
    """Reset before the product (Cho et al., 2014, equations 5 to 8); gates r, z, n."""
    H = h.shape[-1]
    x_part = [x @ _gate(params, "input_kernel", n, H) + _gate(params, "bias", n, H) for n in range(3)]
    r = sigmoid(x_part[0] + h @ _gate(params, "recurrent_kernel", 0, H))
    z = sigmoid(x_part[1] + h @ _gate(params, "recurrent_kernel", 1, H))
    n = np.tanh(x_part[2] + (r * h) @ _gate(params, "recurrent_kernel", 2, H))
    return z * h + (1 - z) * n


STEPS = {"elman": elman, "elman_relu": elman_relu, "lstm": lstm, "gru": gru, "gru_v3": gru_v3}


def run(name, params, x, lengths, state, reverse=False):
    """Runs a cell over `x [B, T, D]`, each sequence on its own and only over the steps that count.

    `state` is a tuple of `[B, H]`. Returns outputs `[B, T, H]`, zero where padded, and the final state.
    """
    params = {field: np.asarray(value, np.float64) for field, value in params._asdict().items()}
    B, T, _ = x.shape
    H = state[0].shape[-1]
    outputs = np.zeros((B, T, H))
    final = [np.array(s, np.float64) for s in state]
    for b in range(B):
        current = tuple(s[b] for s in final)
        steps = range(lengths[b])
        for t in reversed(steps) if reverse else steps:
            advanced = STEPS[name](
                params, current if name == "lstm" else current[0], x[b, t].astype(np.float64)
            )
            current = advanced if name == "lstm" else (advanced,)
            outputs[b, t] = current[0]
        for s, value in zip(final, current, strict=True):
            s[b] = value
    return outputs, tuple(final)
