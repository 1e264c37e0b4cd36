"""Recurrent networks in JAX: pure cells, unrolls, and everything to train them on whatever is to be learnt.

`from rnn_jax import Predictor` takes a trained classifier; see `rnn_jax.tasks.predictor`.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rnn_jax.tasks.predictor import Predictor

__all__ = ["Predictor"]


def __getattr__(name: str) -> Any:
    """What is imported only when it is asked for: it needs much that the rest does not."""
    if name == "Predictor":
        from rnn_jax.tasks.predictor import Predictor

        return Predictor
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
