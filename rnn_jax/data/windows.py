"""Windows of a series: what was, and what came after."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rnn_jax.data.batches import Batch, Plan, plan_epoch, steps_per_epoch


@dataclass(frozen=True, eq=False)
class Windows:
    """A window of a series for every step at which a forecast may begin.

    Attributes:
        values: the series, `[T, C]`.
        begin: the first step that is forecast; where the history would not fit before it, a later one is.
        end: the step behind the last that is.
        history: steps that are read before a forecast, which may lie before `begin`.
        horizon: steps of a forecast.
        batch_size: windows a batch, over all devices of all hosts.
    """

    values: NDArray[np.float32]
    begin: int
    end: int
    history: int
    horizon: int
    batch_size: int

    def __len__(self) -> int:
        return max(0, self.end - self.horizon + 1 - self._first)

    @property
    def _first(self) -> int:
        """Where the first forecast begins, which needs its history."""
        return max(self.begin, self.history)

    @property
    def steps(self) -> int:
        """The number of batches of an epoch."""
        return steps_per_epoch(len(self), self.batch_size)

    def epoch(self, seed: int, epoch: int) -> list[Plan]:
        """The batches of a training epoch, in random order."""
        alike = np.full(len(self), self.history)
        return plan_epoch(alike, (self.history,), self.batch_size, seed, epoch)

    def once(self) -> list[Plan]:
        """Batches that hold each window once, the earliest first."""
        starts = range(0, len(self), self.batch_size)
        return [Plan(np.arange(i, min(i + self.batch_size, len(self))), self.history) for i in starts]

    def batch(self, plan: Plan, rows: range | None = None) -> Batch:
        """The windows of a plan, or the `rows` of them that one host works on."""
        rows = range(self.batch_size) if rows is None else rows
        chosen = plan.indices[rows.start : rows.stop]
        weights = (np.arange(len(rows)) < len(chosen)).astype(np.float32)
        places = self._first + np.concatenate([chosen, np.zeros(len(rows) - len(chosen), np.int64)])
        columns = {
            "history": self.values[places[:, None] + np.arange(-self.history, 0)],
            "future": self.values[places[:, None] + np.arange(self.horizon)],
        }
        return Batch(columns, weights, np.array(rows, np.int32))

    def futures(self) -> NDArray[np.float32]:
        """What came after, of all windows: `[N, horizon, C]`, a view."""
        return self._windows(self._first, self.horizon)

    def histories(self) -> NDArray[np.float32]:
        """What was before, of all windows: `[N, history, C]`, a view."""
        return self._windows(self._first - self.history, self.history)

    def _windows(self, start: int, length: int) -> NDArray[np.float32]:
        views = np.lib.stride_tricks.sliding_window_view(self.values, length, axis=0)
        return np.moveaxis(views[start : start + len(self)], -1, 1)

    def describe(self, plan: Plan) -> str:
        """Which windows a batch holds, in words."""
        shown: Sequence[int] = (self._first + plan.indices[:5]).tolist()
        return f"windows whose forecasts begin at steps {', '.join(map(str, shown))}, …"
