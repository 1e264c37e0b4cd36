"""How gradients become updates: clipping, Adam, and a step size that falls to zero."""

import optax


def make_optimizer(learning_rate: float, total_steps: int, clip_norm: float) -> optax.GradientTransformation:
    """Adam (D. Kingma and J. Ba, 2015, arXiv:1412.6980) on gradients clipped by their global norm.

    Clipping keeps the exploding gradients of recurrent networks in bounds (R. Pascanu, T. Mikolov and
    Y. Bengio, 2013, arXiv:1211.5063). The step size falls linearly from `learning_rate` to 0 at
    `total_steps`.
    """
    return optax.chain(
        optax.clip_by_global_norm(clip_norm),
        optax.adam(optax.linear_schedule(learning_rate, 0.0, total_steps)),
    )
