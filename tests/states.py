"""States that a cell may be in."""

import jax.numpy as jnp


def random_state(cell, params, batch_shape, rng):
    """Normal numbers; a normaliser, which is a sum of weights the largest of which is 1, is 1 or more."""
    state = cell.initial_state(params, batch_shape)
    drawn = {name: rng.normal(size=array.shape) for name, array in state._asdict().items()}
    if "normalizer" in drawn:
        drawn["normalizer"] = 1 + abs(drawn["normalizer"])
    return type(state)(**{name: jnp.asarray(array, jnp.float32) for name, array in drawn.items()})
