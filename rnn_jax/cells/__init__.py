"""How one step works: pure functions, one family of cells a file, and the table of cells by name.

A new cell is a new file here, written after `elman.py`, and a line in `CELLS`; every way to unroll, the
layers, the scripts and the tests that run over all cells then know it.
"""

from rnn_jax.cells.cell import Cell
from rnn_jax.cells.elman import ELMAN, ELMAN_RELU
from rnn_jax.cells.gru import GRU, GRU_V3
from rnn_jax.cells.lstm import LSTM

CELLS: dict[str, Cell] = {
    "elman": ELMAN,
    "elman_relu": ELMAN_RELU,
    "lstm": LSTM,
    "gru": GRU,
    "gru_v3": GRU_V3,
}

__all__ = ["CELLS", "ELMAN", "ELMAN_RELU", "GRU", "GRU_V3", "LSTM", "Cell"]
