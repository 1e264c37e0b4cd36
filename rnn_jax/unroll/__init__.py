"""How steps become a sequence: every unroll has the signature of `Unroll` and runs the same step."""

from typing import TYPE_CHECKING, Literal, TypeAlias

from rnn_jax.cells.cell import Cell
from rnn_jax.unroll.auto import auto
from rnn_jax.unroll.checkpointed import checkpointed
from rnn_jax.unroll.cudnn import cudnn
from rnn_jax.unroll.directions import Directions
from rnn_jax.unroll.dynamic import dynamic
from rnn_jax.unroll.fused import fused
from rnn_jax.unroll.hoisted import hoisted
from rnn_jax.unroll.layers import init_layers, map_layers, run_layer, run_layers
from rnn_jax.unroll.newton import newton
from rnn_jax.unroll.parallel import parallel
from rnn_jax.unroll.sequence import Unroll, Unrolled
from rnn_jax.unroll.static import static

UNROLLS: dict[str, Unroll] = {
    "dynamic": dynamic,
    "static": static,
    "fused": fused,
    "hoisted": hoisted,
    "checkpointed": checkpointed,
    "parallel": parallel,
    "newton": newton,
    "cudnn": cudnn,
    "auto": auto,
}


def runs_itself(unroll: str, cell: Cell) -> bool:
    """Whether an unroll, by its name, runs a cell in a way of its own, and hands it to no other.

    `hoisted` always does: it runs several steps a turn.

    Example:
        >>> from rnn_jax.cells import GRU
        >>> runs_itself("fused", GRU), runs_itself("parallel", GRU)
        (True, False)
    """
    linear = cell.advance_all is not None
    knows = {"fused": cell.fusion is not None, "parallel": linear, "newton": cell.diagonal and not linear}
    return knows.get(unroll, True)


if TYPE_CHECKING:  # a type checker cannot know what the table holds
    UnrollName: TypeAlias = str
else:  # choices that the command line shows and checks
    UnrollName = Literal[tuple(UNROLLS)]

__all__ = [
    "UNROLLS",
    "Directions",
    "Unroll",
    "UnrollName",
    "Unrolled",
    "auto",
    "checkpointed",
    "cudnn",
    "dynamic",
    "fused",
    "hoisted",
    "init_layers",
    "map_layers",
    "newton",
    "parallel",
    "run_layer",
    "run_layers",
    "runs_itself",
    "static",
]
