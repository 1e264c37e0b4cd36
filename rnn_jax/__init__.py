"""Recurrent networks in JAX: pure cells, unrolls, and everything to train them on whatever is to be learnt.

`from rnn_jax import Predictor, Generator` takes a trained classifier or language model; see
`rnn_jax.tasks.predictor` and `rnn_jax.tasks.generator`.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rnn_jax.tasks.generator import Generator
    from rnn_jax.tasks.predictor import Predictor

__all__ = ["Generator", "Predictor"]


def __getattr__(name: str) -> Any:
    """What is imported only when it is asked for: it needs much that the rest does not."""
    if name == "Predictor":
        from rnn_jax.tasks.predictor import Predictor

        return Predictor
    if name == "Generator":
        from rnn_jax.tasks.generator import Generator

        return Generator
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
