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

Variant: the paper normalises all input vectors to mean 0 and variance 1, so that they cannot outgrow ε; here
r is measured in units of the root mean square of the example's own input vectors, to the same end. Vectors
that a language model has learnt are large beside what training a classifier adds to them, where drawn ones
may be small: of the two, they take the smaller ε.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from rnn_jax.cells.cell import Array

Gradients = Any
Loss = Callable[[Any, Array], tuple[Array, Any]]


def worst_step(gradient: Array, radius: float) -> Array:
    """The step of length `radius` that a loss grows fastest along, for each row: `[B, T, E] -> [B, T, E]`.

    Zeros where the gradient is zero.
    """
    norms = jnp.sqrt((gradient**2).sum(axis=(1, 2), keepdims=True))
    return jnp.where(norms > 0, radius * gradient / jnp.where(norms > 0, norms, 1), 0)


def adversarial_gradients(
    loss: Loss, params: Any, still: Array, radius: float, first: Loss | None = None
) -> tuple[Gradients, Any]:
    """The gradients of the loss plus the adversarial loss, and what else the first loss returns.

    Args:
        loss: `(params, perturbation [B, T, E]) -> (loss, anything)`.
        params: where the gradients are taken.
        still: no perturbation, zeros of its shape.
        radius: ε.
        first: the loss at no perturbation, where it is not `loss` alone.
    """
    (gradients, direction), aux = jax.grad(first or loss, argnums=(0, 1), has_aux=True)(params, still)
    adversarial, _ = jax.grad(loss, has_aux=True)(params, worst_step(direction, radius))
    return jax.tree.map(jnp.add, gradients, adversarial), aux
