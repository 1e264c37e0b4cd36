"""Being asked to stop: the signal is noted, and the loop leaves at a good moment."""

import logging
import signal
import threading
from types import FrameType, TracebackType
from typing import Any

import jax

from rnn_jax.training.hosts import asked_to_stop

log = logging.getLogger(__name__)


class InterruptedRunError(Exception):
    """A run that was asked to stop has saved and stopped.

    Attributes:
        exit_code: 128 and the number of the signal, as a shell reports it.
    """

    def __init__(self, number: int, step: int) -> None:
        super().__init__(f"stopped by {signal.Signals(number).name} after saving step {step}")
        self.exit_code = 128 + number


class StopRequests:
    """A context in which SIGTERM and SIGINT are noted instead of ending the process; a second one ends it.

    With several hosts all must stop at the same step: SIGTERM then is JAX's, and SIGINT ends the process.
    Python lets only the main thread catch signals: in another, nothing is caught.
    """

    def __init__(self) -> None:
        self._received: int | None = None
        self._before: dict[int, Any] = {}

    def __enter__(self) -> "StopRequests":
        if jax.process_count() > 1:
            return self
        if threading.current_thread() is not threading.main_thread():
            log.warning("warning: training outside the main thread: SIGTERM and SIGINT are not caught")
            return self
        for number in (signal.SIGTERM, signal.SIGINT):
            self._before[number] = signal.signal(number, self._note)
        return self

    def received(self, step: int) -> int | None:
        """The signal that asks for stopping after `step`; to be asked after each, by all hosts."""
        return signal.SIGTERM if asked_to_stop(step) else self._received

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler or signal.SIG_DFL)  # None: it was not Python's

    def _note(self, number: int, frame: FrameType | None) -> None:
        self._received = number
        for again in self._before:
            signal.signal(again, signal.SIG_DFL)
