"""How one step works: pure functions, one family of cells a file, and the table of cells by name.

A new cell is a new file here, written after `elman.py`, and a line in `CELLS`; every unroll, the
layers, the scripts and the tests that run over all cells then know it. `cell.py` says what a cell is.
"""

from typing import TYPE_CHECKING, Literal, TypeAlias

from rnn_jax.cells.cell import Cell
from rnn_jax.cells.coupled_lstm import COUPLED_LSTM
from rnn_jax.cells.elman import ELMAN, ELMAN_RELU
from rnn_jax.cells.gru import GRU, GRU_V3
from rnn_jax.cells.indrnn import INDRNN
from rnn_jax.cells.layer_norm_lstm import LAYER_NORM_LSTM
from rnn_jax.cells.lru import LRU
from rnn_jax.cells.lstm import LSTM
from rnn_jax.cells.mgu import MGU
from rnn_jax.cells.mingru import MINGRU
from rnn_jax.cells.minlstm import MINLSTM
from rnn_jax.cells.peephole_lstm import PEEPHOLE_LSTM
from rnn_jax.cells.projected_lstm import PROJECTED_LSTM
from rnn_jax.cells.qrnn import QRNN
from rnn_jax.cells.rg_lru import RG_LRU
from rnn_jax.cells.s6 import S6
from rnn_jax.cells.slstm import SLSTM
from rnn_jax.cells.sru import SRU, SRU_V1

CELLS: dict[str, Cell] = {
    "elman": ELMAN,
    "elman_relu": ELMAN_RELU,
    "lstm": LSTM,
    "peephole_lstm": PEEPHOLE_LSTM,
    "coupled_lstm": COUPLED_LSTM,
    "layer_norm_lstm": LAYER_NORM_LSTM,
    "projected_lstm": PROJECTED_LSTM,
    "slstm": SLSTM,
    "gru": GRU,
    "gru_v3": GRU_V3,
    "mgu": MGU,
    "indrnn": INDRNN,
    "qrnn": QRNN,
    "sru": SRU,
    "sru_v1": SRU_V1,
    "mingru": MINGRU,
    "minlstm": MINLSTM,
    "lru": LRU,
    "rg_lru": RG_LRU,
    "s6": S6,
}

if TYPE_CHECKING:  # a type checker cannot know what the table holds
    CellName: TypeAlias = str
else:  # choices that the command line shows and checks
    CellName = Literal[tuple(CELLS)]

__all__ = ["CELLS", "ELMAN", "ELMAN_RELU", "GRU", "GRU_V3", "LSTM", "Cell", "CellName"]
