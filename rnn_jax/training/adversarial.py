"""Adversarial training: the loss where a small step from the inputs hurts most.

T. Miyato, A. Dai and I. Goodfellow, "Adversarial Training Methods for Semi-Supervised Text Classification",
ICLR 2017, arXiv:1605.07725, section 3, for supervised learning:

    r = ε g / ‖g‖₂,  g = ∂ loss / ∂ (input vectors of the example)
    loss + loss at (input vectors + r), r held fixed

Variant: the paper normalises all input vectors to mean 0 and variance 1, so that they cannot outgrow ε; here
r is measured in units of the root mean square of the example's own input vectors, to the same end.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from rnn_jax.cells.cell import Array

Gradients = Any


def worst_step(gradient: Array, radius: float) -> Array:
    """The step of length `radius` that a loss grows fastest along, for each row: `[B, T, E] -> [B, T, E]`.

    Zeros where the gradient is zero.
    """
    norms = jnp.sqrt((gradient**2).sum(axis=(1, 2), keepdims=True))
    return jnp.where(norms > 0, radius * gradient / jnp.where(norms > 0, norms, 1), 0)


def adversarial_gradients(
    loss: Callable[[Any, Array], tuple[Array, Any]], params: Any, still: Array, radius: float
) -> tuple[Gradients, Any]:
    """The gradients of the loss plus the adversarial loss, and what else the first loss returns.

    Args:
        loss: `(params, perturbation [B, T, E]) -> (loss, anything)`.
        params: where the gradients are taken.
        still: no perturbation, zeros of its shape.
        radius: ε.
    """
    (gradients, direction), aux = jax.grad(loss, argnums=(0, 1), has_aux=True)(params, still)
    adversarial, _ = jax.grad(loss, has_aux=True)(params, worst_step(direction, radius))
    return jax.tree.map(jnp.add, gradients, adversarial), aux
