"""Seeds: one number of up to 64 bits, from which everything random of a run follows.

JAX takes 32 bits of a number unless `jax_enable_x64` is set, and drops the others without a word; the higher
word of a large seed is therefore mixed in by hand. Smaller seeds give what `jax.random.key` gives.
"""

import jax

from rnn_jax.errors import UserError

LARGEST = 2**64 - 1


def words(seed: int) -> tuple[int, int]:
    """The lower and the higher 32 bits of a seed.

    Raises:
        UserError: if it is negative, or has more than 64 bits.
    """
    if not 0 <= seed <= LARGEST:
        raise UserError(f"--seed {seed}: must be from 0 to {LARGEST}")
    return seed % 2**32, seed >> 32


def make_key(seed: int) -> jax.Array:
    """The random key of a seed, another for each.

    Raises:
        UserError: if it is negative, or has more than 64 bits.
    """
    low, high = words(seed)
    key = jax.random.key(low)
    return jax.random.fold_in(key, high) if high else key
