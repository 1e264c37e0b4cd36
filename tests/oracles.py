"""Cells as NumPy loops in float64, written from the equations of the papers, one gate a line.

They share nothing with `rnn_jax`: parameters arrive as plain arrays, gates packed as documented there.
"""

import numpy as np


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


def elman(params, state, x):
    """Elman (1990) with tanh: h = tanh(x W + h U + b)."""
    h = np.tanh(x @ params["input_kernel"] + state[0] @ params["recurrent_kernel"] + params["bias"])
    return (h,), h


def elman_relu(params, state, x):
    """Le, Jaitly and Hinton (2015): h = max(0, x W + h U + b)."""
    h = np.maximum(0, x @ params["input_kernel"] + state[0] @ params["recurrent_kernel"] + params["bias"])
    return (h,), h


def _gate(params, name, n, H):
    return params[name][..., n * H : (n + 1) * H]


def _sums(params, h, x, gates):
    """What enters each gate: x W + h U + b."""
    H = h.shape[-1]
    return [
        x @ _gate(params, "input_kernel", n, H)
        + h @ _gate(params, "recurrent_kernel", n, H)
        + _gate(params, "bias", n, H)
        for n in range(gates)
    ]


def lstm(params, state, x):
    """Hochreiter and Schmidhuber (1997) with the forget gate of Gers et al. (2000); gates i, f, g, o."""
    h, c = state
    a = _sums(params, h, x, 4)
    i, f, g, o = sigmoid(a[0]), sigmoid(a[1]), np.tanh(a[2]), sigmoid(a[3])
    c = f * c + i * g
    h = o * np.tanh(c)
    return (h, c), h


def peephole_lstm(params, state, x):
    """Gers, Schraudolph and Schmidhuber (2002): i and f see the old cell, o the new one."""
    h, c = state
    a = _sums(params, h, x, 4)
    p_i, p_f, p_o = (_gate(params, "peepholes", n, len(c)) for n in range(3))
    i = sigmoid(a[0] + p_i * c)
    f = sigmoid(a[1] + p_f * c)
    c = f * c + i * np.tanh(a[2])
    o = sigmoid(a[3] + p_o * c)
    h = o * np.tanh(c)
    return (h, c), h


def coupled_lstm(params, state, x):
    """Greff et al. (2015), CIFG: i = 1 - f; gates f, g, o."""
    h, c = state
    a = _sums(params, h, x, 3)
    f, g, o = sigmoid(a[0]), np.tanh(a[1]), sigmoid(a[2])
    c = f * c + (1 - f) * g
    h = o * np.tanh(c)
    return (h, c), h


def layer_norm_lstm(params, state, x):
    """Ba, Kiros and Hinton (2016), equations 20 to 22; gates i, f, g, o."""

    def norm(v):
        return (v - np.mean(v)) / np.sqrt(np.var(v) + 1e-5)

    h, c = state
    a = params["input_scale"] * norm(x @ params["input_kernel"])
    a = a + params["recurrent_scale"] * norm(h @ params["recurrent_kernel"]) + params["bias"]
    i, f, g, o = np.split(a, 4)
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    h = sigmoid(o) * np.tanh(params["cell_scale"] * norm(c) + params["cell_bias"])
    return (h, c), h


def gru(params, state, x):
    """Reset after the product (Cho et al., 2014, first version; cuDNN); gates r, z, n."""
    (h,) = state
    H = h.shape[-1]
    x_part = [x @ _gate(params, "input_kernel", n, H) + _gate(params, "bias", n, H) for n in range(3)]
    h_part = [h @ _gate(params, "recurrent_kernel", n, H) for n in range(3)]
    r = sigmoid(x_part[0] + h_part[0])
    z = sigmoid(x_part[1] + h_part[1])
    n = np.tanh(x_part[2] + r * (h_part[2] + params["candidate_bias"]))
    h = z * h + (1 - z) * n
    return (h,), h


def gru_v3(params, state, x):
    """Reset before the product (Cho et al., 2014, equations 5 to 8); gates r, z, n."""
    (h,) = state
    H = h.shape[-1]
    x_part = [x @ _gate(params, "input_kernel", n, H) + _gate(params, "bias", n, H) for n in range(3)]
    r = sigmoid(x_part[0] + h @ _gate(params, "recurrent_kernel", 0, H))
    z = sigmoid(x_part[1] + h @ _gate(params, "recurrent_kernel", 1, H))
    n = np.tanh(x_part[2] + (r * h) @ _gate(params, "recurrent_kernel", 2, H))
    h = z * h + (1 - z) * n
    return (h,), h


def mgu(params, state, x):
    """Zhou et al. (2016): one gate; f, then the candidate."""
    (h,) = state
    H = h.shape[-1]
    x_part = [x @ _gate(params, "input_kernel", n, H) + _gate(params, "bias", n, H) for n in range(2)]
    f = sigmoid(x_part[0] + h @ _gate(params, "recurrent_kernel", 0, H))
    n = np.tanh(x_part[1] + (f * h) @ _gate(params, "recurrent_kernel", 1, H))
    h = (1 - f) * h + f * n
    return (h,), h


def indrnn(params, state, x):
    """Li et al. (2018): h = max(0, x W + u h + b), with u kept in [-1, 1]."""
    u = np.minimum(np.maximum(params["recurrent_weights"], -1), 1)
    h = np.maximum(0, x @ params["input_kernel"] + u * state[0] + params["bias"])
    return (h,), h


def qrnn(params, state, x):
    """Bradbury et al. (2017), fo-pooling, width 2; the state holds x V of the step before."""
    c, previous = state
    z, f, o = np.split(previous + x @ params["input_kernel"] + params["bias"], 3)
    f = sigmoid(f)
    c = f * c + (1 - f) * np.tanh(z)
    return (c, x @ params["previous_kernel"]), sigmoid(o) * c


def _sru_products(params, x, H):
    products = np.split(x @ params["input_kernel"], params["input_kernel"].shape[1] // H)
    return [*products, x][:4]  # x itself where there is no fourth


def sru(params, state, x):
    """Lei et al. (2018): gates see the memory; x is scaled by √3."""
    (c,) = state
    H = len(c)
    n, f, r, skip = _sru_products(params, x, H)
    f = sigmoid(f + params["cell_weights"][:H] * c + params["bias"][:H])
    r = sigmoid(r + params["cell_weights"][H:] * c + params["bias"][H:])
    c = f * c + (1 - f) * n
    return (c,), r * c + (1 - r) * skip * np.sqrt(3)


def sru_v1(params, state, x):
    """Lei, Zhang and Artzi (2017), the first version: gates see the input only."""
    (c,) = state
    H = len(c)
    n, f, r, skip = _sru_products(params, x, H)
    f = sigmoid(f + params["bias"][:H])
    r = sigmoid(r + params["bias"][H:])
    c = f * c + (1 - f) * n
    return (c,), r * np.tanh(c) + (1 - r) * skip


def mingru(params, state, x):
    """Feng et al. (2024), section 3.1: z, then the candidate."""
    z, n = np.split(x @ params["input_kernel"] + params["bias"], 2)
    h = (1 - sigmoid(z)) * state[0] + sigmoid(z) * n
    return (h,), h


def minlstm(params, state, x):
    """Feng et al. (2024), section 3.2: f, i, then the candidate."""
    f, i, n = np.split(x @ params["input_kernel"] + params["bias"], 3)
    f, i = sigmoid(f), sigmoid(i)
    h = f / (f + i) * state[0] + i / (f + i) * n
    return (h,), h


def lru(params, state, x):
    """Orvieto et al. (2023): a complex diagonal recurrence, read out by its real part."""
    H = len(params["decay"])
    B = params["input_kernel"][:, :H] + 1j * params["input_kernel"][:, H : 2 * H]
    C = params["output_kernel"][:H] + 1j * params["output_kernel"][H:]
    pole = np.exp(-np.exp(params["decay"]) + 1j * np.exp(params["angle"]))
    c = pole * (state[0] + 1j * state[1]) + np.exp(params["scale"]) * (x @ B)
    return (c.real, c.imag), (c @ C).real + x @ params["input_kernel"][:, 2 * H :]


def projected_lstm(params, state, x):
    """Sak et al. (2014) without peepholes: gates i, f, g, o of the memory, which a matrix projects."""
    h, c = state
    M = len(c)
    a = x @ params["input_kernel"] + h @ params["recurrent_kernel"] + params["bias"]
    i, f, o = sigmoid(a[:M]), sigmoid(a[M : 2 * M]), sigmoid(a[3 * M :])
    c = f * c + i * np.tanh(a[2 * M : 3 * M])
    h = (o * np.tanh(c)) @ params["projection"]
    return (h, c), h


def rg_lru(params, state, x):
    """De et al. (2024), equations 1 to 4: gates r, i, then the input where its size is another."""
    H = len(params["decay"])
    products = x @ params["input_kernel"]
    r = sigmoid(products[:H] + params["bias"][:H])
    i = sigmoid(products[H : 2 * H] + params["bias"][H:])
    inputs = products[2 * H :] if len(products) > 2 * H else x
    a = sigmoid(params["decay"]) ** (8 * r)
    h = a * state[0] + np.sqrt(1 - a**2) * i * inputs
    return (h,), h


def slstm(params, state, x):
    """Beck et al. (2024), equations 8 to 17, and with no exponent taken out: c and n grow as they may."""
    h, c, n, m = state
    scale = np.exp(m)  # what the state that is given leaves out
    a = _sums(params, h, x, 4)
    i, f, g, o = np.exp(a[0]), sigmoid(a[1]), np.tanh(a[2]), sigmoid(a[3])
    largest = np.where(n == 0, a[0], np.maximum(np.log(f) + m, a[0]))
    c, n = f * scale * c + i * g, f * scale * n + i
    h = o * c / n
    return (h, c * np.exp(-largest), n * np.exp(-largest), largest), h


def s6(params, state, x):
    """Gu and Dao (2023), algorithm 2, a unit and a memory at a time."""
    H, N = params["log_rates"].shape
    products = x @ params["input_kernel"]
    delta = np.log1p(np.exp(products[:H] + params["bias"]))
    B, C = products[H : H + N], products[H + N : H + 2 * N]
    inputs = products[H + 2 * N :] if len(products) > H + 2 * N else x
    S, y = np.array(state[0]).reshape(H, N), np.zeros(H)
    for h in range(H):
        for n in range(N):
            S[h, n] = (
                np.exp(-delta[h] * np.exp(params["log_rates"][h, n])) * S[h, n] + delta[h] * B[n] * inputs[h]
            )
        y[h] = S[h] @ C + params["skip"][h] * inputs[h]
    return (S.ravel(),), y


STEPS = {
    step.__name__: step
    for step in (
        *(elman, elman_relu, lstm, peephole_lstm, coupled_lstm, layer_norm_lstm, gru, gru_v3, mgu, indrnn),
        *(qrnn, sru, sru_v1, mingru, minlstm, lru, rg_lru, slstm, s6, projected_lstm),
    )
}


def run(name, params, x, lengths, state, reverse=False, resets=None):
    """Runs a cell over `x [B, T, D]`, each sequence on its own and only over the steps that count.

    `state` is a tuple of `[B, ...]`; `resets [B, T]` begin anew with zeros, as every cell does. Returns
    outputs `[B, T, H]`, zero where padded, and the final state.
    """
    hidden_size = params.hidden_size
    params = {field: np.asarray(value, np.float64) for field, value in params._asdict().items()}
    B, T, _ = x.shape
    outputs = np.zeros((B, T, hidden_size))
    final = [np.array(s, np.float64) for s in state]
    for b in range(B):
        current = tuple(s[b] for s in final)
        steps = range(lengths[b])
        for t in reversed(steps) if reverse else steps:
            first = t + 1 if reverse else t
            if resets is not None and first < lengths[b] and resets[b, first]:
                current = tuple(np.zeros_like(s) for s in current)
            current, outputs[b, t] = STEPS[name](params, current, x[b, t].astype(np.float64))
        for s, value in zip(final, current, strict=True):
            s[b] = value
    return outputs, tuple(final)
