"""A trace of a few steps: what the devices do, and when.

It is written by JAX's profiler. The file `perfetto_trace.json.gz` opens at ui.perfetto.dev; TensorBoard with
its plugin for profiles reads the rest.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

import jax

from rnn_jax.errors import UserError

FIRST = 3  # steps that are taken before: the first are compiled
STEPS = 5


class Trace:
    """Traces the steps after the first ones of a process; a context manager, which ends the trace.

    Args:
        folder: where to.
        report: shows a line to whoever watches.

    Raises:
        UserError: if the folder cannot be made.
    """

    def __init__(self, folder: str, report: Callable[[str], None]) -> None:
        self._folder, self._report = folder, report
        self._taken, self._running = 0, False
        try:
            Path(folder).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UserError(f"--profile {folder} cannot be written: {error.strerror}") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def after_step(self, state: Any) -> None:
        """Begins after some steps, and ends after some more, once the state has been computed."""
        self._taken += 1
        if self._taken == FIRST:
            jax.block_until_ready(state)
            jax.profiler.start_trace(self._folder, create_perfetto_trace=True)
            self._running = True
        elif self._taken == FIRST + STEPS:
            jax.block_until_ready(state)
            self.end()

    def end(self) -> None:
        """Writes what has been traced, if the steps came to an end before."""
        if not self._running:
            return
        self._running = False
        try:
            jax.profiler.stop_trace()
        except (OSError, RuntimeError) as error:  # a full disk must not end the run
            self._report(f"warning: the trace cannot be written ({error})")
        else:
            self._report(f"a trace of {self._taken - FIRST} steps is in {self._folder}")
