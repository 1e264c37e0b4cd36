"""A model as a pure function of its parameters, which is what a training step differentiates."""

from collections.abc import Callable
from typing import Any

import jax
from flax import nnx

ModelParams = dict[str, Any]  # nested, arrays at the leaves
Apply = Callable[..., Any]  # (params, *arguments, **named) -> outputs


def split(make_model: Callable[[], nnx.Module]) -> tuple[Apply, Callable[[], ModelParams]]:
    """Splits what `make_model` makes into `apply(params, *arguments, **named)` and `init() -> params`.

    Another `method` of the model is applied by its name. The model itself is made only when `init` is called:
    `apply` needs nothing but its structure.
    """
    graph, _ = nnx.split(jax.eval_shape(make_model))

    def apply(params: ModelParams, *arguments: Any, method: str = "__call__", **named: Any) -> Any:
        return getattr(nnx.merge(graph, nnx.State(params)), method)(*arguments, **named)

    def init() -> ModelParams:
        return nnx.to_pure_dict(nnx.state(make_model(), nnx.Param))

    return apply, init
