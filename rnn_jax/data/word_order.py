"""Reviews whose words lie in another order, to see what a network makes of the order."""

import numpy as np

from rnn_jax.data.examples import Examples, pack


def shuffle_blocks(examples: Examples, size: int, seed: int) -> Examples:
    """Cuts each review into blocks of `size` words, and puts the blocks into a random order.

    Within a block the order stays, and with it most of what fewer than `size` words say. The start token
    stays first; the last block may be shorter. Without ratios, which go with the order.

    Raises:
        ValueError: if `size` is below 1.
    """
    if size < 1:
        raise ValueError(f"a block has at least 1 word, got {size}")
    rng = np.random.default_rng(seed)

    def shuffled(sequence: np.ndarray) -> np.ndarray:
        words = sequence[1:]
        blocks = np.split(words, range(size, len(words), size))
        return np.concatenate([sequence[:1], *(blocks[i] for i in rng.permutation(len(blocks)))])

    return pack([shuffled(sequence) for sequence in examples.sequences], examples.labels)
