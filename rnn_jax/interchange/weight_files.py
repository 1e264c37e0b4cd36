"""Weights in safetensors files, which hold arrays by name and a few words, and nothing that could run.

    save_layers("layers.safetensors", from_pytorch(load_file("lstm.safetensors")))
    cell, params = load_layers("layers.safetensors")

Arrays have the names that they have in a run: `layers.0.input_kernel`, say, and where a layer reads in both
directions `layers.0.forward.input_kernel` and `layers.0.backward.input_kernel`. A file of recurrent layers
says which cell they are of.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import jax
import numpy as np
from numpy.typing import NDArray

from rnn_jax.cells import CELLS
from rnn_jax.durable import write_whole
from rnn_jax.errors import UserError
from rnn_jax.interchange.layers import Layers
from rnn_jax.places import local
from rnn_jax.unroll import Directions

if TYPE_CHECKING:
    from types import ModuleType

CELL = "cell"  # the word of a file of layers

Tree = dict[Any, Any]  # nested, arrays at the leaves; numbers as keys where there are several of a kind


class WeightFile(NamedTuple):
    """What a file holds."""

    arrays: dict[str, NDArray[Any]]
    words: dict[str, str]


def import_safetensors() -> "ModuleType":
    """The library's part for NumPy arrays.

    Raises:
        UserError: if it is not installed.
    """
    try:
        import safetensors.numpy as library
    except ImportError as error:
        raise UserError("weights in files need safetensors: pip install safetensors flatbuffers") from error
    return library


def read(path: str | Path) -> WeightFile:
    """Reads a file.

    Raises:
        UserError: if it is missing, damaged, or another kind of file; if it holds numbers that NumPy does not
            have; or if safetensors is not installed.
    """
    import_safetensors()
    from safetensors import SafetensorError, safe_open

    place = local(path)
    try:
        with safe_open(place, framework="numpy") as file:
            return WeightFile({name: file.get_tensor(name) for name in file.keys()}, file.metadata() or {})  # noqa: SIM118
    except (OSError, SafetensorError) as error:
        raise UserError(
            f"{place} cannot be read as a safetensors file ({error}): from PyTorch, write it with "
            "safetensors.torch.save_file(module.state_dict(), …)"
        ) from error
    except TypeError as error:
        raise UserError(f"{place} holds numbers that NumPy does not have ({error}): write float32") from error


def write(path: str | Path, arrays: Mapping[str, NDArray[Any]], words: Mapping[str, str]) -> None:
    """Writes a file in one move.

    Raises:
        UserError: if it cannot be written, or safetensors is not installed.
    """
    content = import_safetensors().save({name: np.ascontiguousarray(a) for name, a in arrays.items()}, words)
    try:
        write_whole(local(path), content)
    except OSError as error:
        raise UserError(f"{path} cannot be written: {error.strerror}") from error


def named(tree: Tree) -> dict[str, NDArray[Any]]:
    """The arrays of nested dicts by their paths: `{"layers": {0: {"bias": a}}}` has `layers.0.bias`."""
    return {
        ".".join(str(key.key) for key in path): np.asarray(leaf)
        for path, leaf in jax.tree_util.tree_leaves_with_path(tree)
    }


def nested(arrays: Mapping[str, NDArray[Any]]) -> Tree:
    """The nested dicts of arrays by their paths, as `named` has them."""
    tree: Tree = {}
    for name, array in arrays.items():
        *path, last = (int(key) if key.isdigit() else key for key in name.split("."))
        place = tree
        for key in path:
            place = place.setdefault(key, {})
        place[last] = array
    return tree


def save_layers(path: str | Path, layers: Layers) -> None:
    """Writes recurrent layers, with the name of their cell.

    Raises:
        UserError: as `write`.

    Example:
        >>> from rnn_jax.cells import LSTM
        >>> layers = Layers("lstm", (LSTM.init(jax.random.key(0), input_size=3, hidden_size=4),))
        >>> save_layers("layers.safetensors", layers)
    """
    write(path, named(tree_of(layers)), {CELL: layers.cell})


def load_layers(path: str | Path) -> Layers:
    """Reads what `save_layers` has written.

    Raises:
        UserError: if it cannot be read, or holds anything else.

    Example:
        >>> from rnn_jax.cells import LSTM
        >>> layers = Layers("lstm", (LSTM.init(jax.random.key(0), input_size=3, hidden_size=4),))
        >>> save_layers("layers.safetensors", layers)
        >>> load_layers("layers.safetensors").sizes
        {'input_size': 3, 'hidden_size': 4, 'num_layers': 1}
    """
    arrays, words = read(path)
    cell = words.get(CELL)
    if cell not in CELLS:
        known = ", ".join(sorted(arrays)) or "none"
        raise UserError(
            f"{path} does not hold recurrent layers of a known cell; its arrays are {known}: "
            "python -m experiments.convert makes such a file from weights of PyTorch or Keras"
        )
    try:
        return layers_of(cell, nested(arrays))
    except (KeyError, TypeError, AttributeError) as error:
        raise UserError(f"{path} does not hold all arrays of {cell} layers: make it again") from error


def tree_of(layers: Layers) -> Tree:
    """Layers as nested dicts, as the parameters of a run have them."""

    def layer(params: Any) -> Tree:
        if isinstance(params, Directions):
            return {name: layer(half) for name, half in params._asdict().items()}
        return params._asdict()

    return {"layers": {number: layer(params) for number, params in enumerate(layers.params)}}


def layers_of(cell: str, tree: Tree) -> Layers:
    """Layers from nested dicts, as `tree_of` makes them.

    Raises:
        KeyError, TypeError: if arrays are missing or too many.
    """
    kind = type(jax.eval_shape(lambda: CELLS[cell].init(jax.random.key(0), 1, 1)))
    own = tree["layers"]
    if not own:
        raise KeyError("layers")

    def layer(arrays: Tree) -> Any:
        if "forward" in arrays:
            return Directions(kind(**arrays["forward"]), kind(**arrays["backward"]))
        return kind(**arrays)

    return Layers(cell, tuple(layer(own[number]) for number in range(len(own))))
