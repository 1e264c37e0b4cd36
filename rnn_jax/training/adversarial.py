"""Adversarial training: the loss where a small step from the inputs hurts most.

T. Miyato, A. Dai and I. Goodfellow, "Adversarial Training Methods for Semi-Supervised Text Classification",
ICLR 2017, arXiv:1605.07725, section 3, for supervised learning:

    r = ε g / ‖g‖₂,  g = ∂ loss / ∂ (input vectors of the example)
    loss + loss at (input vectors + r), r held fixed

Virtual adversarial training (section 3, too, and T. Miyato et al., 2018, arXiv:1704.03976) needs no targets:
the step is the one that changes the answer most, and the loss how much it does,

    KL(p(x) ‖ p(x + r)),  r = ε g / ‖g‖₂,  g = ∂ KL(p(x) ‖ p(x + d)) / ∂d

at a small random d, with p(x) and r held fixed. Where p is given by one number z, its log-odds, that
divergence is p (1 − p) (d · ∂z/∂x)² / 2 near x. So g is along ∂z/∂x whatever d is, which decides its sign
alone: here the sign is drawn.

Variants: p(x + r) is taken under another draw of dropout than p(x), so that answers change with neither (X.
Liang et al., "R-Drop: Regularized Dropout for Neural Networks", NeurIPS 2021, arXiv:2106.14448, in one
direction, from a p(x) held fixed). The paper normalises all input vectors to mean 0 and variance 1, so that
they cannot outgrow ε; here r is measured in units of the root mean square of the example's own input vectors,
to the same end. Vectors that a language model has learnt are large beside what training a classifier adds to
them, where drawn ones may be small: of the two, they take the smaller ε.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from rnn_jax.cells.cell import Array
from rnn_jax.training.task import Sums

Gradients = Any
Loss = Callable[..., tuple[Array, tuple[Sums, Array]]]

# How much of the log-odds is added to the loss for its gradient in the inputs: the loss of an example without
# a target is zero, and where it should be moved is along the log-odds. A part in a million of a gradient in
# the parameters is as much as rounding.
SLOPE = 1e-6


def worst_step(gradient: Array, radius: float) -> Array:
    """The step of length `radius` that a loss grows fastest along, for each row: `[B, T, E] -> [B, T, E]`.

    Zeros where the gradient is zero.
    """
    norms = jnp.sqrt((gradient**2).sum(axis=(1, 2), keepdims=True))
    return jnp.where(norms > 0, radius * gradient / jnp.where(norms > 0, norms, 1), 0)


def adversarial_gradients(
    loss: Loss, params: Any, still: Array, radius: float = 0.0, virtual_radius: float = 0.0
) -> tuple[Gradients, Sums]:
    """The gradients of the loss, the adversarial loss and the divergence at a virtual step; and their sums.

    The network is run once without a step and once with each kind of step: the first run gives the gradients
    of the loss and the directions of all steps.

    Args:
        loss: `(params, step [B, T, E]) -> (loss, (sums, log-odds [B]))`, and with these log-odds for a third
            argument, the divergence from them in place of the loss.
        params: where the gradients are taken.
        still: no step, zeros of its shape.
        radius: ε of adversarial training; 0: none.
        virtual_radius: that of virtual adversarial training; 0: none. The loss draws the signs of the steps.
    """

    def first(params: Any, step: Array) -> tuple[Array, tuple[Sums, Array]]:
        value, (sums, before) = loss(params, step)
        return value + (SLOPE * before.sum() if virtual_radius else 0), (sums, before)

    (gradients, direction), (sums, before) = jax.grad(first, (0, 1), has_aux=True)(params, still)
    if radius:
        more, _ = jax.grad(loss, has_aux=True)(params, worst_step(direction, radius))
        gradients = jax.tree.map(jnp.add, gradients, more)
    if virtual_radius:
        step = worst_step(direction, virtual_radius)
        more, (moved, _) = jax.grad(loss, has_aux=True)(params, step, before)
        gradients, sums = jax.tree.map(jnp.add, (gradients, sums), (more, moved))
    return gradients, sums
