"""One long text, read by truncated back-propagation: B parts side by side, T steps at a time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnn_jax.data.batches import Batch, Plan, Sequences


@dataclass(frozen=True, eq=False)
class Stream:
    """A text in `batch_size` parts of equal length; each batch goes on in all of them where the last ended.

    A row of a batch holds `tokens` to read and `targets`, the tokens that follow them; `fresh` says that it
    is the first of its part, where whatever is carried over starts anew. The last part may lack some steps.
    Of several texts, `resets` says where another begins.

    Attributes:
        tokens: the text, `[N + 1]`; its N tokens but the first are predicted, each once an epoch.
        batch_size: parts, over all devices of all hosts.
        length: T.
        beside: what else is known of the text.
        first: which tokens are the first of one of several texts, `[N + 1]`, each to be read from an empty
            state; None where the state goes on from one to the next.
    """

    tokens: NDArray[np.int32]
    batch_size: int
    length: int
    beside: Mapping[str, Any] = field(default_factory=dict)
    first: NDArray[np.bool_] | None = None

    def __len__(self) -> int:
        return max(len(self.tokens) - 1, 0)

    @property
    def part(self) -> int:
        """Steps of a part."""
        return -(-len(self) // self.batch_size)

    @property
    def steps(self) -> int:
        """The number of batches of an epoch."""
        return -(-self.part // self.length)

    def epoch(self, seed: int, epoch: int) -> Sequence[Plan]:
        """The batches of an epoch, from the beginning of all parts to their ends; the same in every epoch."""
        return self.once()

    def once(self) -> Sequence[Plan]:
        """The same, for evaluation."""
        return [Plan(np.array([step]), self.length) for step in range(self.steps)]

    def batch(self, plan: Plan, rows: range) -> Batch:
        """The rows of a batch that one host works on."""
        (step,) = plan.indices
        parts = np.array(rows)
        offsets = np.arange(self.length)
        starts = parts * self.part + step * self.length
        ends = np.minimum((parts + 1) * self.part, len(self))  # of the part, in the text
        lengths = np.clip(ends - starts, 0, self.length).astype(np.int32)
        counts = offsets < lengths[:, None]
        places = np.where(counts, starts[:, None] + offsets, 0)
        read = np.where(counts, self.tokens[places], 0).astype(np.int32)
        following = np.where(counts, self.tokens[places + 1], 0).astype(np.int32)
        columns: dict[str, Any] = {
            "tokens": Sequences(read, lengths),
            "targets": Sequences(following, lengths),
            "fresh": np.full(len(rows), step == 0),
        }
        if self.first is not None:
            columns["resets"] = counts & self.first[places]
        return Batch(columns, (lengths > 0).astype(np.float32), parts.astype(np.int32))

    def describe(self, plan: Plan) -> str:
        """Which part of the text a batch holds, in words."""
        start = int(plan.indices[0]) * self.length
        return f"steps {start + 1} to {start + self.length} of {self.batch_size} parts of the text"
