"""Weights in files: what is written is read, and nothing else is taken for it."""

import jax
import numpy as np
import pytest

from rnn_jax.cells import CELLS
from rnn_jax.errors import UserError
from rnn_jax.interchange import weight_files
from rnn_jax.interchange.layers import Layers
from rnn_jax.interchange.weight_files import load_layers, named, nested, save_layers
from rnn_jax.unroll import init_layers

library = pytest.importorskip("safetensors.numpy", reason="pip install safetensors flatbuffers")


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("both", [False, True], ids=["forward", "both"])
def test_layers_of_every_cell_come_back(cell, both, tmp_path):
    layers = Layers(cell, init_layers(CELLS[cell], jax.random.key(0), 3, 4, 2, both))
    save_layers(tmp_path / "layers.safetensors", layers)
    found = load_layers(tmp_path / "layers.safetensors")
    assert found.cell == cell
    assert jax.tree.structure(found.params) == jax.tree.structure(layers.params)
    jax.tree.map(np.testing.assert_array_equal, found.params, layers.params)
    assert found.bidirectional == both
    assert found.sizes == {"input_size": 3, "hidden_size": 4, "num_layers": 2}


def test_arrays_are_named_by_their_place():
    tree = {
        "layers": {0: {"bias": np.ones(2)}, 10: {"bias": np.zeros(2)}},
        "head": {"kernel": np.ones((1, 2))},
    }
    arrays = named(tree)
    assert set(arrays) == {"layers.0.bias", "layers.10.bias", "head.kernel"}
    jax.tree.map(np.testing.assert_array_equal, nested(arrays), tree)


@pytest.mark.parametrize("content", [b"", b"not a safetensors file at all", b"\x80\x04pickled"])
def test_other_files_are_refused(content, tmp_path):
    (tmp_path / "file").write_bytes(content)
    with pytest.raises(UserError, match="cannot be read as a safetensors file"):
        load_layers(tmp_path / "file")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(UserError, match=r"none\.safetensors cannot be read"):
        load_layers(tmp_path / "none.safetensors")


def test_a_file_from_pytorch_has_to_be_converted(tmp_path):
    library.save_file({"weight_ih_l0": np.ones((4, 1), np.float32)}, tmp_path / "torch.safetensors")
    with pytest.raises(UserError, match=r"its arrays are weight_ih_l0: python -m experiments\.convert"):
        load_layers(tmp_path / "torch.safetensors")


@pytest.mark.parametrize(
    "arrays", [{"head.bias": 1}, {"layers.0.bias": 1}, {"layers.1.bias": 1}, {"layers.0.spare": 1}], ids=str
)
def test_an_incomplete_file_is_refused(arrays, tmp_path):
    full = {name: np.ones(2, np.float32) for name in arrays}
    library.save_file(full, tmp_path / "layers.safetensors", {weight_files.CELL: "lstm"})
    with pytest.raises(UserError, match="does not hold all arrays of lstm layers"):
        load_layers(tmp_path / "layers.safetensors")


def test_a_place_that_cannot_be_written_is_named(tmp_path):
    layers = Layers("gru", init_layers(CELLS["gru"], jax.random.key(0), 3, 4))
    with pytest.raises(UserError, match="cannot be written: No such file"):
        save_layers(tmp_path / "none" / "layers.safetensors", layers)
