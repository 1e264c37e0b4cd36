"""The platforms that a program is traced for, where something is chosen by platform.

A program serves all of them, and the choice is made when it is compiled. Tracing what is not chosen takes
time, too: who knows the devices that a program is for says so.
"""

from collections.abc import Callable
from contextvars import ContextVar
from functools import wraps
from typing import Any, Literal, ParamSpec, TypeVar

Platform = Literal["cpu", "cuda", "tpu"]
PLATFORMS: tuple[Platform, ...] = ("cpu", "cuda", "tpu")

# By what JAX calls devices of it.
BY_DEVICE: dict[str, Platform] = {"cpu": "cpu", "gpu": "cuda", "cuda": "cuda", "tpu": "tpu"}

_traced_for: ContextVar[tuple[Platform, ...]] = ContextVar("traced_for", default=PLATFORMS)

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


def traced_for() -> tuple[Platform, ...]:
    """The platforms that the program being traced is for."""
    return _traced_for.get()


def for_device(device: Any, function: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
    """The function, traced for the platform of a device alone; for all, where the device is of none of them.

    Example:
        >>> import jax
        >>> for_device(jax.local_devices(backend="cpu")[0], traced_for)()
        ('cpu',)
    """
    known = BY_DEVICE.get(device.platform)

    @wraps(function)
    def traced(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
        token = _traced_for.set(PLATFORMS if known is None else (known,))
        try:
            return function(*args, **kwargs)
        finally:
            _traced_for.reset(token)

    return traced
